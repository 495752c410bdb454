"""The contract of an order: entered by one side, agreed to by the other, concluded when all have signed.

What the steps ask follows from the programme's rules for contracts: its own number and day where it is
signed elsewhere, service days where a window counts, the parties' names as the paper writes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal, Unmet
from server.models.contracts import Contract
from server.models.orders import Order
from server.models.organisations import NameRecord, Organisation
from server.programme.model import Programme
from server.programme.papers import Field, FieldKind
from server.programme.steps import Effect, OrderStep, StepKind
from server.programme.vocabulary import Party
from server.rules.contracts import (
    ContractFacts,
    ContractStatus,
    ReferenceFacts,
    contract_unmet,
    holds_several,
    reference_unmet,
    signed_by_both_here,
)
from server.rules.deadlines import day_of, end_of, start_of
from server.rules.fair_price import reason_unmet
from server.rules.findings import FindingKind, Findings
from server.rules.lifecycles import ProviderAct, QualificationAct
from server.rules.offerings import price_unmet
from server.rules.order_forms import field_of
from server.rules.orders import COMING_TO_SOMETHING
from server.services.admissions import related_parties
from server.services.admissions.standings import standing_unmet
from server.services.orders import order_book
from server.services.orders.fair_price import price_findings
from server.services.providers.provider_standing import provider_missing
from server.services.step_work import Move, NothingMore
from server.units import yuan

_LIVE = (ContractStatus.DRAFTED, ContractStatus.SIGNED)


class ContractKnown(Refusal):
    """This contract has been entered already, for another order."""

    status, code = 409, "contract_known"


class MakeContract(NothingMore):
    """SIGN_CONTRACT and UPLOAD_CONTRACT: enter it, agree to it, conclude it."""

    def form(
        self, programme: Programme, step: OrderStep, order: Order, party: Party | None
    ) -> Sequence[Field]:
        """Everything the contract says; whoever comes second agrees to what stands there.

        Where signing freezes a voucher's money, the enterprise may say how much at most (GX-58).
        """
        own = []
        if step.effect is Effect.RESERVE and party is Party.ENTERPRISE:
            own.append(
                field_of("wanted_fen", FieldKind.MONEY, required=False, clause=programme.issuance.article)
            )
        return own if order.contract_id is not None else [*self._written(programme, order), *own]

    def _written(self, programme: Programme, order: Order) -> list[Field]:
        """What stands in the contract."""
        rules, clause = programme.contract, programme.contract.article
        here = signed_by_both_here(programme)
        fields = [field_of("amount_fen", FieldKind.MONEY, clause=clause)]
        if not here:
            fields += [
                field_of("contract_number", FieldKind.TEXT, clause=clause),
                field_of("signed_on", FieldKind.DATE, clause=clause),
                field_of("enterprise_name", FieldKind.TEXT, clause=clause),
                field_of("provider_name", FieldKind.TEXT, clause=clause),
            ]
        windowed = rules.in_service_window
        fields += [
            field_of("service_starts_on", FieldKind.DATE, required=windowed, clause=clause),
            field_of("acceptance_on", FieldKind.DATE, required=windowed, clause=clause),
        ]
        if programme.fair_price is not None:
            fields.append(field_of("price_reason", FieldKind.TEXT, required=False, clause=clause))
        if programme.deduction_for(order.category).exclude_unrelated:
            fields.append(field_of("unrelated_fen", FieldKind.MONEY, required=False, clause=clause))
        for asked, code in (
            (rules.matches_offering, "matches_offering"),
            (rules.consistent_with_past, "consistent_with_past"),
            (rules.names_price_parts, "names_price_parts"),
        ):
            if asked and not here:
                fields.append(field_of(code, FieldKind.YES_NO, clause=clause))
        return fields

    async def unmet(self, move: Move) -> Sequence[Unmet]:
        """What the contract must be like (LS-66, GX-31, GZ-63 to GZ-66), asked again when it is concluded."""
        order, programme = move.order, move.programme
        unmet: list[Unmet] = []
        if order.contract_id is None:
            unmet += await self._entry_unmet(move)
        if move.completes:
            unmet += await self._parties_unmet(order, programme, move.now)
        return unmet

    async def do(self, move: Move) -> Mapping[str, Any]:
        """Enter the contract, or agree to it; concluded, it bears this day where it is signed here."""
        order, programme = move.order, move.programme
        changes: dict[str, Any] = {}
        contract = await Contract.get_or_none(id=order.contract_id) if order.contract_id else None
        if contract is None:
            contract, changes = await self._enter(move)
        if move.completes and not confirmed_later(programme):
            await conclude(contract, move.now)
        if "wanted_fen" in move.values:
            changes["wanted_fen"] = move.values["wanted_fen"]
        return changes

    async def undo(self, order: Order, *, now: datetime) -> None:
        """Sent back: the contract that was entered is withdrawn, and another may be entered."""
        if order.contract_id is not None:
            await withdraw(order, now=now)

    async def _entry_unmet(self, move: Move) -> list[Unmet]:
        order, programme, values = move.order, move.programme, move.values
        rules, today = programme.contract, day_of(move.now)
        signed_on = values.get("signed_on", today)
        enterprise = await Organisation.get(id=order.enterprise_id)
        provider = await Organisation.get(id=order.provider_id)
        enterprise_names = await names_on(enterprise, signed_on)
        provider_names = await names_on(provider, signed_on)
        unmet = list(
            reference_unmet(
                programme,
                ReferenceFacts(
                    signed_on=signed_on,
                    category=order.category,
                    enterprise_uscc=enterprise.uscc,
                    enterprise_name=values.get("enterprise_name", enterprise.name),
                    registered_enterprise_names=enterprise_names,
                    provider_uscc=provider.uscc,
                    provider_name=values.get("provider_name", provider.name),
                    registered_provider_names=provider_names,
                ),
                today,
            )
        )
        facts = ContractFacts(
            signed_on=signed_on,
            service_starts_on=values.get("service_starts_on", signed_on),
            acceptance_on=values.get("acceptance_on", signed_on),
            # Which name was borne on the day is the reference's business.
            party_names=frozenset(),
            registered_names=frozenset(),
            matches_offering=values.get("matches_offering", True),
            consistent_with_past=values.get("consistent_with_past", True),
            names_price_parts=values.get("names_price_parts", True),
        )
        known = {one.code for one in unmet}
        unmet += [one for one in contract_unmet(programme, facts, today) if one.code not in known]
        placed_on = day_of(order.placed_at)
        placed_first = programme.order_steps[0].kind is StepKind.PLACE
        if placed_first and not rules.may_precede_order and signed_on < placed_on:
            message = texts.CONTRACT["precedes_order"]
            unmet.append(Unmet("precedes_order", rules.article, message, f"{signed_on} < {placed_on}"))
        starts, ends = values.get("service_starts_on"), values.get("acceptance_on")
        if starts is not None and ends is not None and ends < starts:
            message = texts.CONTRACT["ends_before_start"]
            unmet.append(Unmet("acceptance_on", rules.article, message, f"{ends} < {starts}"))
        return [*unmet, *await self._amount_unmet(move)]

    async def _amount_unmet(self, move: Move) -> list[Unmet]:
        order, programme = move.order, move.programme
        amount_fen: int = move.values["amount_fen"]
        clause, unmet = programme.contract.article, []
        if amount_fen <= 0:
            return [Unmet("amount_fen", clause, texts.CONTRACT["no_amount"])]
        unrelated_fen = move.values.get("unrelated_fen", 0)
        if unrelated_fen >= amount_fen:
            arithmetic = f"{yuan(unrelated_fen)} ≥ {yuan(amount_fen)}"
            unmet.append(Unmet("unrelated_fen", clause, texts.CONTRACT["all_unrelated"], arithmetic))
        several = holds_several(programme, order.category)
        if several:
            unmet += await self._projects_unmet(order, programme, move.values["contract_number"], amount_fen)
        unmet += price_unmet(programme, order.list_price_fen, order.price_fen if several else amount_fen)
        reason = move.values.get("price_reason", order.price_reason)
        return [*unmet, *reason_unmet(await self._prices(order, programme, amount_fen), reason)]

    async def _projects_unmet(
        self, order: Order, programme: Programme, number: str, amount_fen: int
    ) -> list[Unmet]:
        """The projects of one contract cost together no more than it, and all say the same amount of it."""
        clause, unmet, others = programme.contract.article, [], 0
        joined = await _joined(order, number)
        if joined is not None:
            others = await _others_fen(order, joined)
            if joined.amount_fen != amount_fen:
                arithmetic = f"{yuan(amount_fen)} ≠ {yuan(joined.amount_fen)}"
                unmet.append(Unmet("amount_fen", clause, texts.CONTRACT["other_amount"], arithmetic))
        if others + order.price_fen > amount_fen:
            arithmetic = f"{yuan(others)} + {yuan(order.price_fen)} > {yuan(amount_fen)}"
            unmet.append(Unmet("amount_fen", clause, texts.CONTRACT["fees_beyond"], arithmetic))
        return unmet

    async def _prices(self, order: Order, programme: Programme, amount_fen: int) -> tuple[Unmet, ...]:
        """What the contract's price stands too far above of; several projects are priced one by one."""
        if holds_several(programme, order.category):
            return ()
        return await price_findings(programme, order, amount_fen)

    async def _parties_unmet(self, order: Order, programme: Programme, now: datetime) -> list[Unmet]:
        """Both sides may deal on this day still; what is signed already is finished all the same (GX-43)."""
        provider = await Organisation.get(id=order.provider_id)
        unmet = list(await provider_missing(programme, provider, ProviderAct.TAKE_ORDERS, now=now))
        if programme.voucher.holder is Party.ENTERPRISE:
            enterprise = await Organisation.get(id=order.enterprise_id)
            unmet += await standing_unmet(
                programme, enterprise, Party.ENTERPRISE, QualificationAct.USE_VOUCHERS, now=now
            )
        return unmet

    async def _enter(self, move: Move) -> tuple[Contract, dict[str, Any]]:
        order, programme, values = move.order, move.programme, move.values
        number = values.get("contract_number") or order.number
        several = holds_several(programme, order.category)
        contract = await _joined(order, number) if several else None
        if contract is None:
            enterprise = await Organisation.get(id=order.enterprise_id)
            provider = await Organisation.get(id=order.provider_id)
            try:
                async with in_transaction():  # A savepoint: the guard decides a race.
                    contract = await Contract.create(
                        programme_slug=order.programme_slug,
                        programme_version=order.programme_version,
                        enterprise_id=enterprise.id,
                        enterprise_name=values.get("enterprise_name", enterprise.name),
                        provider_id=provider.id,
                        provider_name=values.get("provider_name", provider.name),
                        number=number,
                        amount_fen=values["amount_fen"],
                        signed_on=values.get("signed_on"),
                        service_starts_on=values.get("service_starts_on"),
                        acceptance_on=values.get("acceptance_on"),
                        status=ContractStatus.DRAFTED,
                        made_by_party=move.party,
                        created_at=move.now,
                    )
            except IntegrityError:
                raise ContractKnown(clause=programme.contract.article, number=number) from None
        # Of a contract that holds several projects, this order's is its own fee.
        fen = order.price_fen if several else contract.amount_fen
        changes = {"contract_id": contract.id, "contract_fen": fen}
        changes |= {code: values[code] for code in ("unrelated_fen", "price_reason") if code in values}
        if fen != order.price_fen:
            found = Findings(warned=await self._prices(order, programme, fen))
            await related_parties.keep(order.id, FindingKind.PRICE, found, now=move.now)
        return contract, changes


class ConfirmContract(NothingMore):
    """CONFIRM_CONTRACT: the other side finds the uploaded contract in order."""

    async def do(self, move: Move) -> Mapping[str, Any]:
        await conclude(await Contract.get(id=move.order.contract_id), move.now)
        return {}


def confirmed_later(programme: Programme) -> bool:
    """Whether the other side confirms an uploaded contract in a step of its own."""
    return any(step.kind is StepKind.CONFIRM_CONTRACT for step in programme.order_steps)


async def conclude(contract: Contract, now: datetime) -> None:
    """All have signed: it bears this day where it bears none yet."""
    await Contract.filter(id=contract.id, status=ContractStatus.DRAFTED).update(
        status=ContractStatus.SIGNED, signed_on=contract.signed_on or day_of(now)
    )


async def withdraw(order: Order, *, now: datetime) -> None:
    """The contract an order was sent back past: another may be entered in its place."""
    contract_id = order.contract_id
    await order_book.change(order, contract_id=None, contract_fen=None)
    if contract_id is not None:
        await let_go(contract_id, now=now)


async def let_go(contract_id: int, *, now: datetime, reason: str = "") -> None:
    """A contract ends with the last order on it (GX-84): withdrawn, or failed where it was signed."""
    if await Order.exists(contract_id=contract_id, status__in=COMING_TO_SOMETHING):
        return
    contract = await Contract.get(id=contract_id)
    ended = ContractStatus.WITHDRAWN if contract.status is ContractStatus.DRAFTED else ContractStatus.FAILED
    await Contract.filter(id=contract.id, status__in=_LIVE).update(status=ended, ended_at=now, reason=reason)


async def names_on(organisation: Organisation, day: date) -> frozenset[str]:
    """Every name an organisation bore at some instant of a day; a contract may carry any of them (GZ-64)."""
    later = NameRecord.filter(organisation_id=organisation.id, until__gt=start_of(day))
    borne: set[str] = set()
    for record in await later.order_by("until"):
        borne.add(record.name)
        if record.until >= end_of(day):
            return frozenset(borne)
    return frozenset({*borne, organisation.name})


async def _joined(order: Order, number: str) -> Contract | None:
    """The contract of these two with this number that stands already."""
    return await Contract.get_or_none(
        programme_slug=order.programme_slug,
        enterprise_id=order.enterprise_id,
        provider_id=order.provider_id,
        number=number,
        status__in=_LIVE,
    )


async def _others_fen(order: Order, contract: Contract) -> int:
    """What the other projects of a contract cost, fen."""
    others = Order.filter(contract_id=contract.id, status__in=COMING_TO_SOMETHING).exclude(id=order.id)
    return sum([int(one.price_fen) for one in await others])
