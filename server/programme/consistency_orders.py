"""Combinations that cannot be, in the steps of an order and in the reviews."""

from __future__ import annotations

from collections.abc import Iterator

from server.programme.faults import Fault
from server.programme.model import Programme
from server.programme.papers import AmountRule, Document
from server.programme.review import ReviewChain, ReviewKind, ReviewSubject
from server.programme.steps import Deadline, DeadlineRule, Effect, Event, OrderStep, StepKind

Faults = Iterator[Fault]


def order_faults(programme: Programme) -> Faults:
    """What cannot be in the order of events."""
    before: list[OrderStep] = []
    for place, step in enumerate(programme.order_steps):
        path = f"order_step[{place}]"
        earlier = {known.kind for known in before}
        if step.kind in earlier:
            yield Fault(f"{path}.kind", f'"{step.kind}" again', "each step once")
        reserved = any(known.effect is Effect.RESERVE for known in before)
        consumed = any(known.effect is Effect.CONSUME for known in before)
        if step.effect is Effect.CONSUME and not reserved:
            yield Fault(f"{path}.effect", '"consume"', "an earlier step that reserves")
        if (step.effect is Effect.CONSUME and consumed) or (step.effect is Effect.RESERVE and reserved):
            yield Fault(
                f"{path}.effect", f'"{step.effect}" again', "one step that reserves, one that consumes"
            )
        if step.returned_to is not None and step.returned_to not in earlier:
            yield Fault(f"{path}.returned_to", f'"{step.returned_to}"', "an earlier step")
        if step.deadline is not None:
            yield from _deadline(programme, step.deadline, earlier, f"{path}.deadline")
        yield from _documents(step.documents, f"{path}.document")
        before.append(step)
    for effect in (Effect.RESERVE, Effect.CONSUME):
        if not any(step.effect is effect for step in before):
            yield Fault("order_step", f"no step that has the effect {effect}", "one")
    yield from _required_steps(programme, {step.kind for step in before})
    if len(programme.rating.scale) < 2:
        yield Fault("rating.scale", " ".join(programme.rating.scale), "two choices or more, best first")


def _deadline(programme: Programme, deadline: Deadline, earlier: set[StepKind], path: str) -> Faults:
    counted = [days for days in (deadline.natural_days, deadline.working_days) if days is not None]
    starts = [start for start in (deadline.from_event, deadline.from_step) if start is not None]
    if (len(counted), len(starts), deadline.rule is None) not in {(1, 1, True), (0, 0, False)}:
        yield Fault(path, "a mixture", "days counted from one event or step, or a rule of the calendar")
    if deadline.from_step is not None and deadline.from_step not in earlier:
        yield Fault(f"{path}.from_step", f'"{deadline.from_step}"', "an earlier step")
    of_rounds = {Event.ROUND_CLOSED, Event.RESULTS_PUBLISHED}
    if deadline.from_event in of_rounds and not programme.issuance.rounds:
        yield Fault(f"{path}.from_event", f'"{deadline.from_event}"', "an event that this programme has")
    if deadline.rule is DeadlineRule.SERVICE_WINDOW and programme.validity.service_from is None:
        yield Fault(f"{path}.rule", '"service_window"', "a programme with a service window")


def _required_steps(programme: Programme, kinds: set[StepKind]) -> Faults:
    """Parts of the programme that only mean something where the order has their step."""
    claims = (
        (programme.own_share.deposit_bp is not None, StepKind.DEPOSIT, "own_share.deposit_percent"),
        (programme.own_share.escrow, StepKind.ESCROW, "own_share.escrow"),
        (programme.issuance.contract_first, StepKind.REQUEST_VOUCHER, "issuance.contract_first"),
        (programme.rating.required_for_settlement, StepKind.RATE, "rating.required_for_settlement"),
        (programme.rating.required_for_payment, StepKind.PAY_VOUCHER, "rating.required_for_payment"),
    )
    for claimed, kind, path in claims:
        if claimed and kind not in kinds:
            yield Fault(path, f'no step "{kind}"', "that step in the order")
    for kind, stated in ((StepKind.DEPOSIT, programme.own_share.deposit_bp is not None),
                         (StepKind.ESCROW, programme.own_share.escrow)):  # fmt: skip
        if kind in kinds and not stated:
            yield Fault("order_step", f'a step "{kind}"', f"`own_share` to say so ({kind})")
    if not kinds & {StepKind.SIGN_CONTRACT, StepKind.UPLOAD_CONTRACT}:
        yield Fault("order_step", "no contract", 'a step "sign_contract" or "upload_contract"')
    if programme.contract.in_service_window and programme.validity.service_from is None:
        yield Fault("contract.in_service_window", "true", "a programme with a service window")


def _documents(documents: tuple[Document, ...], path: str) -> Faults:
    for place, document in enumerate(documents):
        if document.maximum is not None and document.maximum < document.minimum:
            yield Fault(f"{path}[{place}].maximum", str(document.maximum), f"at least {document.minimum}")
        least = document.amount is AmountRule.OWN_SHARE_AT_LEAST
        if least != (document.minimum_bp is not None):
            yield Fault(f"{path}[{place}]", "half a rule", '`minimum_percent` for "own_share_at_least"')


def review_faults(programme: Programme) -> Faults:
    """What cannot be in reviews, notices and settlements."""
    subjects = [chain.subject for chain in programme.reviews]
    for place, chain in enumerate(programme.reviews):
        if chain.subject in subjects[:place]:
            yield Fault(f"review[{place}].subject", f'"{chain.subject}" again', "one chain for each")
        yield from _chain(programme, chain, f"review[{place}]")
    for needed in (ReviewSubject.ENTERPRISE, ReviewSubject.PROVIDER, ReviewSubject.SETTLEMENT):
        if needed not in subjects:
            yield Fault("review", f'no chain for "{needed}"', "enterprise, provider and settlement")
    for subject in sorted(programme.public_notice.required_for):
        if subject not in subjects:
            yield Fault("public_notice.required_for", f'"{subject}"', "the subject of a chain")
    for channel in programme.public_notice.on_platform:
        if channel not in programme.public_notice.channels:
            yield Fault("public_notice.on_platform", f'"{channel}"', "one of `public_notice.channels`")
    rating = programme.rating
    if rating.provider_grades != bool(rating.grades):
        yield Fault("rating.grades", "none, or too many", "the grades, where `provider_grades` says so")
    yield from _documents(programme.settlement.documents, "settlement.document")
    yield from _documents(programme.offering.documents, "offering.document")
    settlement, offering = programme.settlement, programme.offering
    yearly = (
        ("settlement.windows", settlement.windows_per_year_min, settlement.windows_per_year_max),
        ("offering.selections", offering.selections_per_year_min, offering.selections_per_year_max),
    )
    for windows, low, high in yearly:
        if (low is None) != (high is None) or (low is not None and high is not None and high < low):
            yield Fault(f"{windows}_per_year_max", str(high), f"{low} or more, beside `_min`")


def _chain(programme: Programme, chain: ReviewChain, path: str) -> Faults:
    kinds = [step.kind for step in chain.steps]
    noticed = chain.subject in programme.public_notice.required_for
    if noticed and ReviewKind.PUBLIC_NOTICE not in kinds:
        yield Fault(path, "no public notice", "the notice that `public_notice` requires")
    if not noticed and ReviewKind.PUBLIC_NOTICE in kinds:
        yield Fault(path, "a public notice", f'"{chain.subject}" in `public_notice.required_for`')
    if chain.subject is ReviewSubject.SETTLEMENT and ReviewKind.DISBURSEMENT not in kinds:
        yield Fault(path, "a settlement that nobody pays", 'a step "disbursement"')
    if ReviewKind.DISBURSEMENT in kinds:
        after = kinds[kinds.index(ReviewKind.DISBURSEMENT) + 1 :]
        for place, kind in enumerate(kinds):
            if kind in after and kind not in (ReviewKind.FILING, ReviewKind.ARCHIVE, ReviewKind.ANNOUNCEMENT):
                yield Fault(
                    f"{path}.step[{place}]", f'"{kind}" after the payment', "every decision before it"
                )
    forms = {form.code for form in programme.forms}
    for place, step in enumerate(chain.steps):
        if step.panel_min is not None and (step.kind is not ReviewKind.EXPERT_REVIEW or step.panel_min < 1):
            found = f'{step.panel_min} at "{step.kind}"'
            yield Fault(f"{path}.step[{place}].panel_min", found, 'one expert or more, at "expert_review"')
    for place, step in enumerate(chain.steps):
        if (step.kind is ReviewKind.SPOT_CHECK) != (step.share_bp is not None):
            yield Fault(f"{path}.step[{place}]", "half a spot check", '`share_percent` for "spot_check" only')
        if step.form and step.form not in forms:
            yield Fault(f"{path}.step[{place}].form", f'"{step.form}"', "the code of a form")
