"""Combinations that cannot be: each rule of thumb yields a fault that names key, finding and expectation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from server.programme.consistency_offerings import offering_faults
from server.programme.consistency_orders import order_faults, review_faults
from server.programme.faults import Fault
from server.programme.issuance import IssuanceMode, QuotaEvent, RankKey, Reissue
from server.programme.model import Programme
from server.programme.papers import FieldKind
from server.programme.people import Condition, ConditionKind, PartyRules
from server.programme.policy import BudgetKind, YearRule
from server.programme.vocabulary import Actor, Party
from server.units import BASIS_POINTS, percent, yuan

LEAST_RATE_BP = 100
"""Below one percent a rate is a fraction somebody meant as a percentage (0.5 for 50)."""

Faults = Iterator[Fault]


def inconsistencies(programme: Programme) -> Faults:
    """Everything that cannot be, in the order of the file; the loader reports the first."""
    return chain(
        _validity(programme),
        _roles(programme),
        _budget(programme),
        _party(programme, programme.enterprise, Party.ENTERPRISE),
        _party(programme, programme.provider, Party.PROVIDER),
        _categories(programme),
        offering_faults(programme),
        _voucher(programme),
        _issuance(programme),
        _tiers(programme),
        _deductions(programme),
        _provider_ceilings(programme),
        order_faults(programme),
        review_faults(programme),
        _sanctions(programme),
    )


def _validity(programme: Programme) -> Faults:
    validity = programme.validity
    if validity.valid_until is None:
        if validity.year is YearRule.WHOLE:
            yield Fault("validity.year", '"whole" without `valid_until`', "an end, or another year")
    elif validity.valid_until < validity.valid_from:
        yield Fault("validity.valid_until", str(validity.valid_until), f"{validity.valid_from} or later")
    if (validity.service_from is None) != (validity.service_until is None):
        yield Fault("validity", "half a service window", "both `service_from` and `service_until`")
    if validity.service_from and validity.service_until and validity.service_until < validity.service_from:
        yield Fault(
            "validity.service_until", str(validity.service_until), f"{validity.service_from} or later"
        )
    if not re.fullmatch(r"(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])", validity.year_starts):
        yield Fault("validity.year_starts", f'"{validity.year_starts}"', 'month and day, such as "04-01"')
    if not programme.covers(programme.demo.today):
        yield Fault("demo.today", str(programme.demo.today), "a day inside the validity")


def _roles(programme: Programme) -> Faults:
    actors = [role.actor for role in programme.roles]
    for place, actor in enumerate(actors):
        if actor in actors[:place]:
            yield Fault(f"role[{place}].actor", f'"{actor}" again', "each role once")
    for needed in (Actor.OPERATOR, Actor.AUTHORITY):
        if needed not in actors:
            yield Fault("role", f'no "{needed}"', "a role for operator and for authority")


def _budget(programme: Programme) -> Faults:
    budget = programme.budget
    if (budget.kind is BudgetKind.FLOOR) != (budget.least_total_fen is not None):
        yield Fault("budget.kind", f'"{budget.kind}"', '`least_total_yuan` exactly where it is "floor"')


NEEDS = {
    ConditionKind.REGISTERED_IN: set[str](),
    ConditionKind.LEGAL_PERSON: set[str](),
    ConditionKind.LEGAL_FORM_IN: {"legal_forms"},
    ConditionKind.INDUSTRY_IN: {"industries"},
    ConditionKind.SIZE_CLASS_IN: {"sizes"},
    ConditionKind.MONTHS_ESTABLISHED_AT_LEAST: {"months"},
    ConditionKind.MONTHS_ESTABLISHED_AT_MOST: {"months"},
    ConditionKind.LABEL_REQUIRED: {"labels"},
    ConditionKind.LABEL_EXCLUDED: {"labels"},
    ConditionKind.DECLARED: {"fact"},
    ConditionKind.AT_LEAST: {"fact"},
    ConditionKind.NOT_BLOCKLISTED: set[str](),
    ConditionKind.NO_PAST_VIOLATION: set[str](),
    ConditionKind.NOT_OPERATOR: set[str](),
}
"""The keys each kind of condition cannot do without."""

MAY = {
    ConditionKind.REGISTERED_IN: {"areas", "excluded_areas"},
    ConditionKind.INDUSTRY_IN: {"labels"},
    ConditionKind.AT_LEAST: {"minimum", "minimum_fen"},
}
"""The keys a kind of condition may have besides."""

PARAMETERS = ("areas", "excluded_areas", "legal_forms", "industries", "sizes", "months", "labels", "fact",
              "minimum", "minimum_fen")  # fmt: skip


def _party(programme: Programme, party: PartyRules, which: Party) -> Faults:
    for place, condition in enumerate(party.conditions):
        yield from _condition(programme, condition, f"{which}.condition[{place}]", party, which)
    yield from _change_offices(programme, party, which)


def _change_offices(programme: Programme, party: PartyRules, which: Party) -> Faults:
    report = party.change_report
    if report.by_level != bool(report.offices):
        yield Fault(f"{which}.change_report.office", "none, or too many", "offices, where `by_level` says so")
    known = {label.level for label in programme.labels if label.of is which}
    for place, office in enumerate(report.offices):
        for level in office.takes:
            if level not in known:
                path = f"{which}.change_report.office[{place}].takes"
                yield Fault(path, f'"{level}"', f"the level of a label of the {which}")


def _condition(programme: Programme, condition: Condition, path: str, party: PartyRules, of: Party) -> Faults:
    needs = NEEDS[condition.kind]
    given = {name for name in PARAMETERS if getattr(condition, name) not in ((), frozenset(), None, "")}
    for name in sorted(needs - given):
        yield Fault(path, f'"{condition.kind}" without `{name}`', f"`{name}`")
    for name in sorted(given - needs - MAY.get(condition.kind, set())):
        key = name.replace("_fen", "_yuan")
        yield Fault(f"{path}.{key}", f'`{key}` beside "{condition.kind}"', "only the keys of this kind")
    yield from _labels(programme, condition.labels, f"{path}.labels", of)
    yield from _labels(programme, condition.if_labels, f"{path}.if_labels", of)
    fields = {field.code: field.kind for field in party.fields}
    if condition.fact and condition.fact not in fields:
        yield Fault(f"{path}.fact", f'"{condition.fact}"', f"a field of the {of}")
    if condition.kind is ConditionKind.DECLARED and fields.get(condition.fact) is not FieldKind.YES_NO:
        yield Fault(f"{path}.fact", f'"{condition.fact}"', 'a field of kind "yes_no"')
    if condition.kind is ConditionKind.AT_LEAST:
        counted = (fields.get(condition.fact), condition.minimum, condition.minimum_fen)
        money = counted[0] is FieldKind.MONEY and counted[1] is None and counted[2] is not None
        count = counted[0] is FieldKind.COUNT and counted[1] is not None and counted[2] is None
        if not (money or count):
            yield Fault(
                path, "a minimum in another unit than the field", "`minimum`, or `minimum_yuan` for money"
            )


def _labels(programme: Programme, codes: tuple[str, ...], path: str, of: Party) -> Faults:
    known = {label.code for label in programme.labels if label.of is of}
    for place, code in enumerate(codes):
        if code not in known:
            yield Fault(f"{path}[{place}]", f'"{code}"', f"the code of a label of the {of}")


def _known(codes: tuple[str, ...], known: set[str], path: str, what: str) -> Faults:
    for place, code in enumerate(codes):
        if code not in known:
            yield Fault(f"{path}[{place}]", f'"{code}"', f"the code of a {what}")


def _categories(programme: Programme) -> Faults:
    ceilings = {category.code: category.max_share_bp for category in programme.categories}
    for place, category in enumerate(programme.categories):
        for number, condition in enumerate(category.conditions):
            path = f"category[{place}].condition[{number}]"
            yield from _condition(programme, condition, path, programme.enterprise, Party.ENTERPRISE)
    for place, floor in enumerate(programme.category_floors):
        path = f"category_floor[{place}]"
        yield from _known(floor.categories, set(ceilings), f"{path}.categories", "category")
        reach = sum(BASIS_POINTS if (top := ceilings.get(code)) is None else top for code in floor.categories)
        if reach < floor.min_share_bp:
            expected = f"at most {percent(reach)}, what the ceilings of its categories allow together"
            yield Fault(f"{path}.min_share_percent", percent(floor.min_share_bp), expected)
        others = floor.others_max_share_bp
        if others is not None and others + floor.min_share_bp > BASIS_POINTS:
            expected = f"at most {percent(BASIS_POINTS - floor.min_share_bp)}, what the floor leaves"
            yield Fault(f"{path}.others_max_share_percent", percent(others), expected)
    if sum(floor.min_share_bp for floor in programme.category_floors) > BASIS_POINTS:
        yield Fault("category_floor", "floors over 100% together", "at most 100%")


def _voucher(programme: Programme) -> Faults:
    """What no text allows and nothing here could do: another holder, no holder, change in money."""
    voucher = programme.voucher
    if not voucher.named:
        yield Fault("voucher.named", "false", "true: a voucher is issued to one verified holder")
    if voucher.transferable:
        yield Fault("voucher.transferable", "true", "false: nothing gives a voucher another holder")
    if voucher.change_given:
        yield Fault("voucher.change_given", "true", "false: nothing pays a holder money")


def _issuance(programme: Programme) -> Faults:
    issuance, holder = programme.issuance, programme.voucher.holder
    mode = issuance.mode
    if (mode is IssuanceMode.PROVIDER_DRAW) != (holder is Party.PROVIDER):
        yield Fault("issuance.mode", f'"{mode}" with holder "{holder}"', '"provider_draw" for providers only')
    if mode in (IssuanceMode.GRAB, IssuanceMode.RANKED_BATCH) and not issuance.rounds:
        yield Fault("issuance.rounds", "false", f'true, because the mode is "{mode}"')
    if mode is IssuanceMode.GRAB and not (issuance.tiers or issuance.amount_entered):
        yield Fault("issuance", "nothing that says how much is grabbed", "a tier, or `amount_entered`")
    if mode is IssuanceMode.ALLOTMENT and not (issuance.tiers or issuance.annual_quota_fen):
        yield Fault("issuance", "nothing to allot", "a tier, or `annual_quota_yuan`")
    if (mode is IssuanceMode.RANKED_BATCH) != (issuance.result_working_days is not None):
        yield Fault("issuance.result_working_days", "none, or too many", 'days, for "ranked_batch" only')
    if (mode is IssuanceMode.ON_CONTRACT) != issuance.contract_first:
        yield Fault(
            "issuance.contract_first", str(issuance.contract_first).lower(), f'the other, for "{mode}"'
        )
    if issuance.outlives_order and mode is not IssuanceMode.ON_CONTRACT:
        yield Fault("issuance.outlives_order", "true", f'false, because the mode is "{mode}"')
    if mode is IssuanceMode.GRAB and issuance.ranking != (RankKey.ARRIVAL,):
        yield Fault("issuance.ranking", "another order than arrival", 'only "arrival", because it is a grab')
    if (RankKey.PRIORITY in issuance.ranking) != bool(issuance.priorities):
        yield Fault("issuance.ranking", "priority without groups, or groups without it", "both or neither")
    if issuance.waiting_list != (issuance.reissue is Reissue.WAITING_LIST):
        yield Fault("issuance.waiting_list", str(issuance.waiting_list).lower(), "the same as in `reissue`")
    if QuotaEvent.USED not in issuance.burns_quota:
        yield Fault("issuance.burns_quota", 'no "used"', "at least that what is used is gone")
    if QuotaEvent.HANDED_BACK in issuance.burns_quota and not issuance.hand_back:
        yield Fault("issuance.burns_quota", '"handed_back" although nothing can be', "`hand_back = true`")


def _tiers(programme: Programme) -> Faults:
    issuance = programme.issuance
    if issuance.quota_by_tier and (not issuance.tiers or issuance.annual_quota_fen is not None):
        yield Fault("issuance.quota_by_tier", "true", "tiers, and no `annual_quota_yuan` beside them")
    for place, tier in enumerate(issuance.tiers):
        path = f"issuance.tier[{place}]"
        yield from _labels(programme, tier.any_of, f"{path}.any_of", programme.voucher.holder)
        yield from _labels(programme, tier.all_of, f"{path}.all_of", programme.voucher.holder)
        if tier.face_value_fen == 0:
            yield Fault(f"{path}.face_value_yuan", "0", "more")
        if not (tier.any_of or tier.all_of) and place < len(issuance.tiers) - 1:
            yield Fault(path, "a tier for everybody before others", "the tier for everybody last")
        for limit, name in ((issuance.annual_quota_fen, "annual_quota_yuan"),
                            (issuance.per_round_limit_fen, "per_round_limit_yuan")):  # fmt: skip
            if limit is not None and limit < tier.face_value_fen:
                yield Fault(
                    f"issuance.{name}", yuan(limit), f"at least {yuan(tier.face_value_fen)}, a face value"
                )
    for place, priority in enumerate(issuance.priorities):
        path = f"issuance.priority[{place}].any_of"
        yield from _labels(programme, priority.any_of, path, Party.ENTERPRISE)


def _deductions(programme: Programme) -> Faults:
    categories = {category.code for category in programme.categories}
    kinds = {kind.code for kind in programme.voucher_kinds}
    paid: set[str] = set()
    for place, rule in enumerate(programme.deduction):
        path = f"deduction[{place}]"
        yield from _known(rule.categories, categories, f"{path}.categories", "category")
        if rule.voucher_kind and rule.voucher_kind not in kinds:
            yield Fault(f"{path}.voucher_kind", f'"{rule.voucher_kind}"', "the code of a kind of voucher")
        if rule.rate_bp < LEAST_RATE_BP:
            yield Fault(f"{path}.rate_percent", percent(rule.rate_bp), "1 to 100 (50 for one half)")
        caught = set(rule.categories) or categories - paid
        if not caught or caught & paid:
            yield Fault(path, "a category that has its rule already", "one rule for each category")
        paid |= caught
    if paid != categories:
        missing = ", ".join(sorted(categories - paid))
        yield Fault("deduction", f"no rule for {missing}", "a rule for every category")
    deposit = programme.own_share.deposit_bp
    if deposit is not None:
        highest = max(rule.rate_bp for rule in programme.deduction)
        if deposit + highest > BASIS_POINTS:
            expected = f"at most {percent(BASIS_POINTS - highest)}, what the highest rate leaves"
            yield Fault("own_share.deposit_percent", percent(deposit), expected)


def _provider_ceilings(programme: Programme) -> Faults:
    for place, ceiling in enumerate(programme.provider_ceilings):
        if (ceiling.amount_fen is None) == (ceiling.share_bp is None):
            yield Fault(f"provider_ceiling[{place}]", "both or neither", "`amount_yuan` or `share_percent`")
    fair = programme.fair_price
    if fair and fair.least_contracts < 1:
        yield Fault("fair_price.least_contracts", str(fair.least_contracts), "1 or more")
    fee = programme.supervision_fee
    if fee and fee.rate_max_bp < fee.rate_min_bp:
        expected = f"at least {percent(fee.rate_min_bp)}"
        yield Fault("supervision_fee.rate_max_percent", percent(fee.rate_max_bp), expected)
    kinds = {kind.code for kind in programme.voucher_kinds}
    if programme.annual_notice:
        path = "annual_notice.voucher_kinds"
        yield from _known(programme.annual_notice.voucher_kinds, kinds, path, "kind of voucher")


def _sanctions(programme: Programme) -> Faults:
    codes = {sanction.code for sanction in programme.sanctions}
    for place, sanction in enumerate(programme.sanctions):
        bans = {measure for measure in sanction.measures if "ban" in measure or "bar" in measure}
        if sanction.ban_years is not None and not bans:
            yield Fault(
                f"sanction[{place}].ban_years", str(sanction.ban_years), "a measure that bars somebody"
            )
    for place, conflict in enumerate(programme.conflicts):
        if conflict.sanction and conflict.sanction not in codes:
            yield Fault(f"conflict[{place}].sanction", f'"{conflict.sanction}"', "the code of a sanction")
        if conflict.labels:
            yield from _labels(programme, conflict.labels, f"conflict[{place}].labels", Party.PROVIDER)
    watched = programme.monitoring
    if watched is not None and watched.sanction and watched.sanction not in codes:
        yield Fault("monitoring.sanction", f'"{watched.sanction}"', "the code of a sanction")
