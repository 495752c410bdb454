"""Draws: the approved provider draws a voucher for an enterprise it serves, on its contract with it.

A voucher is drawn under the provider's name, and its use is registered at once: which enterprise, which
contract, which project (YC-05). Drawing reserves nothing: nothing is posted until a complete file asks for
the money, and whoever hands one in first is paid (YC-19). What the year has left is shown, and decides
nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.contracts import Contract, Draw
from server.models.organisations import Organisation
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.size_classes import SizeStandard
from server.programme.vocabulary import Party
from server.rules.contracts import ContractStatus
from server.rules.deadlines import day_of
from server.rules.deduction import Deduction, Prices, Used, deduction, use_unmet
from server.rules.eligibility import category_unmet
from server.rules.eligibility import unmet as conditions_unmet
from server.rules.lifecycles import QualificationAct
from server.rules.limits import Limit, room
from server.rules.money import Basis
from server.rules.scope import scope_unmet
from server.services import access, budgets, contract_lists, issuing, journal, voucher_holds
from server.services.access import Actor, NotFound
from server.services.applicants import facts_of, snapshot
from server.services.clocks import ProgrammeClocks
from server.services.issuing import Grant
from server.services.memberships import lock
from server.services.qualifications import ProgrammeNotRunning
from server.services.standings import require_standing
from server.services.voucher_holds import NothingToPay
from server.units import yuan


class NotDrawnHere(Refusal):
    """In this programme vouchers are not drawn by providers."""

    status, code = 409, "not_drawn_here"


class ContractNotSigned(Refusal):
    """The contract is not signed, or has come to nothing."""

    status, code = 409, "contract_not_signed"


class EnterpriseNotServed(Refusal):
    """The enterprise, or what it buys, lies outside what the text supports (YC-11, YC-12)."""

    status, code = 409, "enterprise_not_served"


class ProjectDrawnBefore(Refusal):
    """A voucher was drawn for this project of this enterprise already (YC-13)."""

    status, code = 409, "project_drawn_before"


class FeesBeyondContract(Refusal):
    """The projects of a contract cost more together than the contract."""

    status, code = 422, "fees_beyond_contract"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A draw with its voucher."""

    draw: Draw
    voucher: Voucher


class Draws:
    """The verbs on draws. Days and instants are those of the programme's clock."""

    def __init__(self, programmes: Programmes, sizes: SizeStandard, clocks: ProgrammeClocks) -> None:
        self.programmes = programmes
        self.sizes = sizes
        self.clocks = clocks

    async def draw(self, contract_id: int, project: str, fee_fen: int, *, actor: Actor) -> Drawn:
        """Draw the voucher for one project of a contract; ``fee_fen`` is its fee, tax included.

        Raises ``NotFound``, :class:`NotDrawnHere`, ``ProgrammeNotRunning``, ``NotInStanding`` (YC-18),
        :class:`ContractNotSigned`, :class:`EnterpriseNotServed`, :class:`ProjectDrawnBefore`,
        :class:`FeesBeyondContract`, ``NothingToPay``, ``YearNotOpen``.
        """
        contract, party = await contract_lists.of_party(contract_id, actor=actor)
        if party is not Party.PROVIDER:
            raise NotFound()
        slug = contract.programme_slug
        programme = self.programmes.version(slug, contract.programme_version)
        now = self.clocks.now(slug)
        if programme.issuance.mode is not IssuanceMode.PROVIDER_DRAW:
            raise NotDrawnHere(clause=programme.issuance.article, programme=programme.name)
        if not programme.covers(day_of(now)):
            raise ProgrammeNotRunning(clause=programme.validity.article, programme=programme.name)
        year = await voucher_holds.year_budget(slug, programme.year_of(now))
        try:
            # The provider first, so that its standing stands still, then the year, as for every voucher.
            async with in_transaction():
                provider = await lock(access.organisation_id_of(actor))
                async with budgets.locked(year.id) as budget:
                    contract = await Contract.get(id=contract.id)
                    if contract.status is not ContractStatus.SIGNED:
                        raise ContractNotSigned(clause=programme.contract.article, number=contract.number)
                    return await self._draw(
                        programme, budget, provider, contract, project, fee_fen, actor=actor, now=now
                    )
        except IntegrityError:
            raise ProjectDrawnBefore(clause=_use_article(programme, contract), project=project) from None

    async def money_left(self, drawn: Drawn) -> Limit:
        """What the year has left, as an information: nothing of it is anybody's before a file is in."""
        row = drawn.draw
        programme = self.programmes.version(row.programme_slug, drawn.voucher.programme_version)
        budget = await Budget.get(id=row.budget_id)
        spent_fen = budget.total_fen - budget.free_fen
        return room(budget.total_fen, spent_fen, clause=programme.budget.article, name=texts.LIMITS["budget"])

    async def _draw(
        self,
        programme: Programme,
        budget: Budget,
        provider: Organisation,
        contract: Contract,
        project: str,
        fee_fen: int,
        *,
        actor: Actor,
        now: datetime,
    ) -> Drawn:
        await require_standing(programme, provider, Party.PROVIDER, QualificationAct.OBTAIN_VOUCHERS, now=now)
        enterprise = await Organisation.get(id=contract.enterprise_id)
        await self._require_served(programme, enterprise, contract.category, now)
        paid = await _payable(programme, contract, project, fee_fen)
        serial = await Voucher.filter(budget_id=budget.id, enterprise_id=enterprise.id).count() + 1
        grant = Grant(
            enterprise_id=enterprise.id,
            provider_id=provider.id,
            amount_fen=paid.amount_fen,
            asked_at=now,
            serial=serial,
        )
        (voucher,) = await issuing.issue(
            budget, programme, [grant], basis=Basis.ON_FILE, actor=actor.name, now=now
        )
        draw = await Draw.create(
            programme_slug=programme.slug,
            budget_id=budget.id,
            provider_id=provider.id,
            enterprise_id=enterprise.id,
            contract_id=contract.id,
            project=project,
            project_key=project_key(project),
            fee_fen=fee_fen,
            voucher_id=voucher.id,
            clause=paid.clause,
            arithmetic=paid.arithmetic,
            drawn_at=now,
            facts=snapshot(enterprise),
        )
        await journal.record(
            "voucher.use_registered",
            f"voucher:{voucher.id}",
            actor=actor.name,
            at=now,
            programme_slug=programme.slug,
            draw=draw.id,
            contract=contract.id,
            enterprise=enterprise.id,
            provider=provider.id,
            amount_fen=paid.amount_fen,
        )
        return Drawn(draw, voucher)

    async def _require_served(
        self, programme: Programme, enterprise: Organisation, code: str, now: datetime
    ) -> None:
        facts = await facts_of(enterprise, programme, now=now)
        unmet = list(conditions_unmet(programme, facts, day_of(now), self.sizes))
        unmet += scope_unmet(programme, code, ())
        category = programme.category(code)
        if category is not None:
            unmet += category_unmet(programme, category, facts, day_of(now), self.sizes)
        if unmet:
            raise EnterpriseNotServed(clause=unmet[0].clause, unmet=unmet, name=enterprise.name)


async def page(*, actor: Actor, after: int, limit: int) -> list[Drawn]:
    """The next ``limit`` draws after an id: those of the actor's organisation, as either side."""
    mine = access.organisation_id_of(actor)
    draws = (
        await Draw.filter(id__gt=after)
        .filter(Q(provider_id=mine) | Q(enterprise_id=mine))
        .order_by("id")
        .limit(limit)
    )
    vouchers = await Voucher.filter(id__in=[one.voucher_id for one in draws])
    by_id = {one.id: one for one in vouchers}
    return [Drawn(one, by_id[one.voucher_id]) for one in draws]


def project_key(project: str) -> str:
    """The same for one project however it was spaced or capitalised."""
    return "".join(project.split()).casefold()


async def _payable(programme: Programme, contract: Contract, project: str, fee_fen: int) -> Deduction:
    """What the voucher for one project will pay at most, after the other projects of its contract."""
    drawn = await Draw.filter(contract_id=contract.id)
    vouchers = await Voucher.filter(id__in=[one.voucher_id for one in drawn])
    before = await Draw.filter(
        programme_slug=programme.slug,
        provider_id=contract.provider_id,
        enterprise_id=contract.enterprise_id,
        project_key=project_key(project),
    ).count()
    used = Used(
        on_contract_fen=sum(one.face_value_fen for one in vouchers),
        times_on_project=before,
        projects_on_contract=len(drawn),
    )
    unmet = use_unmet(programme, contract.category, used)
    if unmet:
        raise ProjectDrawnBefore(clause=unmet[0].clause, unmet=unmet, project=project)
    fees_fen = sum(one.fee_fen for one in drawn)
    if fees_fen + fee_fen > contract.amount_fen:
        raise FeesBeyondContract(
            clause=programme.contract.article,
            arithmetic=f"{yuan(fees_fen)} + {yuan(fee_fen)} > {yuan(contract.amount_fen)}",
        )
    paid = deduction(programme, contract.category, Prices(contract_fen=fee_fen), used=used)
    if not paid.amount_fen:
        raise NothingToPay(clause=paid.clause, arithmetic=paid.arithmetic)
    return paid


def _use_article(programme: Programme, contract: Contract) -> str:
    return programme.deduction_for(contract.category).article
