"""How vouchers end: what their money does, what their holder's quota does, and who may have it next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from server.models.orders import VoucherHold
from server.models.organisations import MemberRole, Organisation
from server.models.outbox import OutboxMessage
from server.models.rounds import Budget, Round
from server.models.vouchers import Voucher
from server.programme.issuance import Reissue
from server.programme.vocabulary import Party
from server.rules.lifecycles import IllegalMove, NotPermittedNow, VoucherStatus
from server.rules.money import OF_A_VOUCHER, ROUTES, Account, Basis, Movement
from server.rules.voucher_ends import Ending, NotHandedBack, end_of_voucher
from server.services import access
from server.services.access import Actor, NotFound
from server.services.budgets import budgets, ledger
from server.services.budgets.ledger import Where
from server.services.rounds import entitlements
from server.services.vouchers import issuing
from server.services.vouchers.issuing import Grant, PoolExhausted
from server.services.vouchers.vouchers import NothingToHandBack, Vouchers
from server.units import yuan_to_fen
from tests.factories import DAY, MORNING, OPERATOR, Office, make_budget, make_enterprise
from tests.ordering import make_order
from tools import permissions

LISHUI, GUANGZHOU, GUANGXI, YINCHUAN = "lishui-2024", "guangzhou-2020", "guangxi-2024", "yinchuan-2024"
NINGXIA = "ningxia-2016"
DAYS = {
    LISHUI: MORNING,
    GUANGZHOU: MORNING.replace(year=2020),
    GUANGXI: MORNING,
    NINGXIA: MORNING,
    YINCHUAN: MORNING,
}
FACE = yuan_to_fen(20_000)
DATABASE_REFUSED = (OperationalError, IntegrityError, asyncpg.RaiseError)


class Counter:
    """A programme's year with a round of it, and the verbs that end its vouchers."""

    def __init__(self, office: Office, slug: str) -> None:
        self.office = office
        self.programme = office.programmes.get(slug)
        office.clock.at = DAYS[slug]
        self.vouchers = Vouchers(office.rounds, offer=self._offered)
        self.offers: list[int] = []

    async def _offered(self, budget: Budget, row: Round, amount_fen: int, now: object) -> None:
        self.offers.append(amount_fen)

    async def opened(self) -> Counter:
        now = self.office.clock.at
        self.budget = await make_budget(self.programme, total_yuan=100_000, at=now)
        self.round = await Round.create(
            budget_id=self.budget.id,
            title="第一批",
            opens_at=now - DAY,
            closes_at=now,
            pool_fen=0,
            valid_until=now + 60 * DAY,
            order_deadline=now + 30 * DAY,
            created_at=now,
            created_by=1,
        )
        async with budgets.locked(self.budget.id):
            await Budget.filter(id=self.budget.id).update(allotted_fen=2 * FACE)
            await Round.filter(id=self.round.id).update(pool_fen=2 * FACE)
            await ledger.post(Movement.ALLOT, 2 * FACE, Where(self.budget.id, self.round.id), at=now)
        return self

    async def issued(self, *, basis: Basis = Basis.MONEY) -> tuple[Voucher, Actor]:
        """A voucher of this year, and a handler of who holds it."""
        holder = served = await make_enterprise(at=self.office.clock.at)
        by_provider = self.programme.voucher.holder is Party.PROVIDER
        if by_provider:
            served = await make_enterprise(at=self.office.clock.at)
        grant = Grant(
            enterprise_id=served.id,
            provider_id=holder.id if by_provider else None,
            amount_fen=FACE,
            asked_at=self.office.clock.at,
        )
        async with budgets.locked(self.budget.id) as budget:
            (voucher,) = await issuing.issue(
                budget,
                self.programme,
                [grant],
                basis=basis,
                actor="clock",
                now=self.office.clock.at,
                round_=self.round if basis is Basis.MONEY else None,
            )
        return voucher, handler_of(holder)

    async def money(self, voucher: Voucher) -> dict[Account, int]:
        found = await ledger.balances_of_vouchers([voucher.enterprise_id], [voucher.id])
        return {one: fen for one, fen in found[voucher.id].items() if fen and one in OF_A_VOUCHER}

    async def hold(self, voucher: Voucher, amount_fen: int, *, spend_fen: int = 0) -> None:
        """An order holds some of a voucher, and has spent some of what it held."""
        now, holder = self.office.clock.at, await Organisation.get(id=voucher.enterprise_id)
        order = await make_order(self.programme, holder, holder, at=now, voucher_id=voucher.id)
        await VoucherHold.create(
            order_id=order.id,
            voucher_id=voucher.id,
            held_fen=amount_fen - spend_fen,
            spent_fen=spend_fen,
            held_at=now,
        )
        where = Where(voucher.budget_id, voucher.round_id, holder.id, voucher.id, order_id=order.id)
        await ledger.post(Movement.HOLD, amount_fen, where, at=now)
        if spend_fen:
            await ledger.post(Movement.REDEEM, spend_fen, where, at=now)

    async def counted(self, voucher: Voucher) -> int:
        """What counts against the holder's quota of the year, fen."""
        taken = await entitlements.taken_fen(self.programme, self.budget.id, [voucher.enterprise_id])
        return taken[voucher.enterprise_id]


def handler_of(organisation: Organisation) -> Actor:
    return Actor("person", 1, "", organisation.id, frozenset({MemberRole.HANDLER.value}))


async def the(voucher: Voucher) -> Voucher:
    return await Voucher.get(id=voucher.id)


@pytest.mark.rules("GZ-39")
async def test_what_is_handed_back_gives_the_quota_back_and_goes_to_who_waits(office: Office) -> None:
    counter = await Counter(office, GUANGZHOU).opened()
    voucher, handler = await counter.issued()
    assert await counter.counted(voucher) == FACE
    await counter.vouchers.hand_back(voucher.id, actor=handler, reason="项目取消")
    assert (await the(voucher)).status is VoucherStatus.HANDED_BACK
    assert await counter.counted(voucher) == 0
    assert await counter.money(voucher) == {}
    assert counter.offers == [FACE]
    assert (await Round.get(id=counter.round.id)).pool_fen == 3 * FACE
    told = await OutboxMessage.filter(topic="voucher.hand_back").get()
    assert told.recipient == f"organisation:{voucher.enterprise_id}"
    assert await ledger.verify() == []


@pytest.mark.rules("GZ-38", "GZ-33")
async def test_what_was_not_ordered_in_time_is_taken_back_and_burns_the_quota(office: Office) -> None:
    counter = await Counter(office, GUANGZHOU).opened()
    voucher, _ = await counter.issued()
    office.clock.at = counter.round.order_deadline - timedelta.resolution
    assert await counter.vouchers.reclaim_due(GUANGZHOU) == 0
    office.clock.at = counter.round.order_deadline
    assert await counter.vouchers.reclaim_due(GUANGZHOU) == 1
    assert (await the(voucher)).status is VoucherStatus.RECLAIMED
    assert await counter.counted(voucher) == FACE
    assert await counter.vouchers.reclaim_due(GUANGZHOU) == 0
    assert await ledger.verify() == []


@pytest.mark.rules("LS-68", "LS-32")
async def test_what_lapsed_burns_the_quota_and_its_money_returns_to_the_year(office: Office) -> None:
    counter = await Counter(office, LISHUI).opened()
    voucher, _ = await counter.issued()
    free_fen = (await Budget.get(id=counter.budget.id)).free_fen
    office.clock.at = voucher.valid_until - timedelta.resolution
    assert await counter.vouchers.expire_due(LISHUI) == 0
    office.clock.at = voucher.valid_until
    assert await counter.vouchers.expire_due(LISHUI) == 1
    assert (await the(voucher)).status is VoucherStatus.EXPIRED
    assert await counter.counted(voucher) == FACE
    assert (await Budget.get(id=counter.budget.id)).free_fen == free_fen + FACE
    assert counter.offers == []
    assert await ledger.verify() == []


@pytest.mark.rules("GX-59", "LS-07")
async def test_at_the_years_end_nothing_is_carried_over(office: Office) -> None:
    counter = await Counter(office, GUANGXI).opened()
    voucher, _ = await counter.issued(basis=Basis.QUOTA)
    office.clock.at = voucher.valid_until
    assert await counter.vouchers.expire_due(GUANGXI) == 1
    # A promised quota was never money: it lapses where it is.
    assert await counter.money(voucher) == {Account.EXPIRED: FACE}
    assert (await Budget.get(id=counter.budget.id)).returned_fen == 0
    assert await ledger.verify() == []


async def test_what_comes_back_after_its_year_stays_where_it_is(office: Office) -> None:
    counter = await Counter(office, LISHUI).opened()
    voucher, _ = await counter.issued()
    office.clock.at = MORNING.replace(year=2027)
    assert await counter.vouchers.expire_due(LISHUI) == 1
    assert await counter.money(voucher) == {Account.EXPIRED: FACE}


@pytest.mark.rules("GZ-101")
async def test_what_an_order_holds_is_the_orders_and_the_rest_ends(office: Office) -> None:
    counter = await Counter(office, GUANGZHOU).opened()
    voucher, handler = await counter.issued()
    await counter.hold(voucher, 1_500_000)
    office.clock.at = counter.round.order_deadline
    assert await counter.vouchers.reclaim_due(GUANGZHOU) == 1
    assert (await the(voucher)).status is VoucherStatus.ACTIVE
    assert (await counter.money(voucher))[Account.HELD] == 1_500_000
    with pytest.raises(NothingToHandBack):
        await counter.vouchers.hand_back(voucher.id, actor=handler, reason="")
    office.clock.at = voucher.valid_until
    assert await counter.vouchers.expire_due(GUANGZHOU) == 1
    assert (await the(voucher)).status is VoucherStatus.EXPIRED
    assert (await counter.money(voucher))[Account.HELD] == 1_500_000
    assert await ledger.verify() == []


async def test_of_a_voucher_that_was_spent_in_part_only_the_rest_gives_quota_back(office: Office) -> None:
    counter = await Counter(office, GUANGZHOU).opened()
    voucher, handler = await counter.issued()
    await counter.hold(voucher, 500_000, spend_fen=500_000)
    await counter.vouchers.hand_back(voucher.id, actor=handler, reason="")
    assert (await the(voucher)).status is VoucherStatus.USED_UP
    assert await counter.counted(voucher) == 500_000
    with pytest.raises(NotPermittedNow):
        await counter.vouchers.hand_back(voucher.id, actor=handler, reason="")
    assert await ledger.verify() == []


async def test_where_the_text_knows_no_hand_back_there_is_none(office: Office) -> None:
    counter = await Counter(office, LISHUI).opened()
    voucher, handler = await counter.issued()
    with pytest.raises(NotHandedBack):
        await counter.vouchers.hand_back(voucher.id, actor=handler, reason="")
    assert await counter.money(voucher) == {Account.AVAILABLE: FACE}


HOLDS = {
    "GX-04": (GUANGXI, Basis.QUOTA),
    "GZ-09": (GUANGZHOU, Basis.MONEY),
    "LS-09": (LISHUI, Basis.MONEY),
    "NX-03": (NINGXIA, Basis.MONEY),
    "YC-06": (YINCHUAN, Basis.ON_FILE),
}


@pytest.mark.parametrize(
    ("slug", "basis"), [pytest.param(*held, marks=pytest.mark.rules(rule)) for rule, held in HOLDS.items()]
)
async def test_a_voucher_is_its_holders_for_good_and_nobody_elses(
    office: Office, slug: str, basis: Basis
) -> None:
    counter = await Counter(office, slug).opened()
    voucher, holder = await counter.issued(basis=basis)
    stranger = await make_enterprise()
    others = {stranger.id, voucher.enterprise_id} - {holder.organisation_id}
    assert (await access.voucher_for(holder, voucher.id)).id == voucher.id
    for other in others:
        somebody = replace(holder, organisation_id=other)
        with pytest.raises(NotFound):
            await access.voucher_for(somebody, voucher.id)
        with pytest.raises(NotFound):
            await counter.vouchers.hand_back(voucher.id, actor=somebody, reason="")
    # Not even by hand: the table itself refuses another holder.
    for column in ("enterprise_id", "provider_id"):
        with pytest.raises(DATABASE_REFUSED, match="keeps its holder"):
            await Voucher.filter(id=voucher.id).update(**{column: stranger.id})
    found = await the(voucher)
    assert (found.enterprise_id, found.provider_id) == (voucher.enterprise_id, voucher.provider_id)


@pytest.mark.rules(*HOLDS)
def test_no_route_takes_a_voucher_and_somebody_to_give_it_to() -> None:
    taking = {
        (route.method, route.path): set(route.body_model.model_fields) if route.body_model else set()
        for route in permissions.declared()
        if route.path_model and "voucher_id" in route.path_model.model_fields
    }
    assert taking == {
        ("GET", "/api/v1/vouchers/{voucher_id}"): set(),
        ("POST", "/api/v1/vouchers/{voucher_id}/hand-back"): {"reason"},
        ("POST", "/api/v1/vouchers/{voucher_id}/voiding"): {"clause", "reason"},
    }
    verbs = {name for name in vars(Vouchers) if not name.startswith("_")}
    assert verbs == {"hand_back", "void", "expire_due", "reclaim_due", "end_with_order"}


@pytest.mark.rules("GZ-09")
def test_what_is_spent_is_spent_once_and_nothing_is_paid_to_the_holder() -> None:
    onwards: dict[Account, set[Account]] = {}
    for leaves, arrives in ROUTES.values():
        onwards.setdefault(leaves, set()).add(arrives)
    ends = {Account.EXPIRED, Account.RECLAIMED, Account.HANDED_BACK, Account.VOIDED}
    assert onwards[Account.AVAILABLE] == {Account.HELD, *ends}
    # What a complete file has taken of the year goes back to the year, and to no voucher (YC-19).
    assert onwards[Account.HELD] == {Account.AVAILABLE, Account.REDEEMED, Account.BUDGET}
    # Spent goes to the provider's account, and from there only back to where all money comes from; or, before
    # that and where a text lets a payment be returned, to the order that held it (GZ-101).
    # What a settlement cuts is void; what the bank sends back was never paid (NX-26).
    assert onwards[Account.REDEEMED] == {Account.DISBURSED, Account.HELD, Account.VOIDED}
    assert onwards[Account.DISBURSED] == {Account.APPROPRIATION, Account.REDEEMED}
    assert [onwards[end] for end in ends] == [{Account.BUDGET}] * len(ends)


async def test_a_voided_voucher_pays_nothing_more_and_stays_void(office: Office) -> None:
    counter = await Counter(office, GUANGZHOU).opened()
    voucher, handler = await counter.issued()
    await counter.vouchers.void(voucher, actor=OPERATOR, reason="虚构合同", clause="声明函三")
    assert (await the(voucher)).status is VoucherStatus.VOIDED
    assert await counter.counted(voucher) == FACE
    with pytest.raises(IllegalMove):
        await counter.vouchers.void(voucher, actor=OPERATOR, reason="虚构合同", clause="声明函三")
    with pytest.raises(NotPermittedNow):
        await counter.vouchers.hand_back(voucher.id, actor=handler, reason="")
    assert await ledger.verify() == []


async def test_of_a_provider_that_drew_nothing_was_posted_and_nothing_moves(office: Office) -> None:
    counter = await Counter(office, YINCHUAN).opened()
    voucher, _ = await counter.issued(basis=Basis.ON_FILE)
    office.clock.at = voucher.valid_until
    assert await counter.vouchers.expire_due(YINCHUAN) == 1
    assert (await the(voucher)).status is VoucherStatus.EXPIRED
    assert await counter.money(voucher) == {}
    assert await ledger.verify() == []


async def test_a_round_issues_no_more_than_its_money(office: Office) -> None:
    counter = await Counter(office, GUANGZHOU).opened()
    await counter.issued()
    await counter.issued()
    with pytest.raises(PoolExhausted) as refused:
        await counter.issued()
    assert refused.value.arithmetic == "20,000.00 > 0.00"
    assert await Voucher.all().count() == 2
    assert await ledger.verify() == []


@pytest.mark.rules("LS-32")
@pytest.mark.parametrize("reissue", list(Reissue))
@pytest.mark.parametrize("ending", list(Ending))
def test_only_money_returns_and_only_where_the_text_lets_others_have_it(
    office: Office, ending: Ending, reissue: Reissue
) -> None:
    programme = office.programmes.get(GUANGZHOU)
    programme = replace(programme, issuance=replace(programme.issuance, reissue=reissue))
    ends = {
        basis: end_of_voucher(programme, ending, basis, held_fen=0, spent_fen=0, same_year=True)
        for basis in Basis
    }
    # What ends with its order was never really issued: its money is the year's again in any case.
    stays = reissue is Reissue.NONE and ending is not Ending.ORDER_ENDED
    assert (ends[Basis.MONEY].returns is None) is stays
    assert ends[Basis.MONEY].down_the_list is (reissue is Reissue.WAITING_LIST)
    assert ends[Basis.QUOTA].returns is None and ends[Basis.ON_FILE].returns is None
    assert ends[Basis.ON_FILE].movement is None
