"""The life of vouchers as a random walk: whatever people and the clock do, money and quotas stay right.

A walk is made of verbs as the doors call them, drawn from a seed, on four programmes that issue in four
ways. After every step the books are verified, and quotas are counted again from the ledger, by the words
of the texts and without the product's own rules. What is planted below shows that a walk sees faults.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tortoise.context import TortoiseContext

from server.clock import CHINA
from server.database import close_database, open_database
from server.errors import Refusal
from server.models.labels import AttestedLabel
from server.models.ledger import LedgerEntry
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.rounds import Budget, Round
from server.models.voucher_requests import VoucherRequest
from server.models.vouchers import Voucher
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from server.rules.lifecycles import RoundStatus, VoucherStatus
from server.rules.money import RETURNS, Account, Movement
from server.rules.orders import LIVE, OrderStatus
from server.rules.voucher_ends import Ending
from server.services.access import CLOCK
from server.services.budgets import ledger
from server.services.clocks import ProgrammeClocks
from server.services.orders import order_book, request_book, request_issuing
from server.services.rounds import entitlements
from server.services.rounds.rounds import RoundPlan, Rounds
from server.services.vouchers import vouchers
from server.services.vouchers.applications import Applications, Ask
from server.services.vouchers.ranked import RankedRounds
from server.services.vouchers.waiting_list import WaitingList
from server.units import yuan_to_fen
from tests.contracting import ALLOTTED, DAY, DRAWN, MORNING, ON_CONTRACT, Desk, person_of, waits_for
from tests.factories import make_qualified

RANKED = "guangzhou-2020"
MONDAY_2020 = datetime(2020, 6, 22, 10, tzinfo=CHINA)
STEPS = 30
QUOTA_FEN = {RANKED: yuan_to_fen(20_000), ON_CONTRACT: yuan_to_fen(5_000)}
GIVES_BACK = {RANKED: {Movement.HAND_BACK}, ON_CONTRACT: {Movement.RECLAIM, Movement.HAND_BACK}}
"""Which endings leave the year's quota free again: GZ-39; where a text says nothing, all but lapsing."""
MOST_ON_A_CONTRACT_FEN = yuan_to_fen(50_000)
ENDED = (VoucherStatus.EXPIRED, VoucherStatus.RECLAIMED, VoucherStatus.HANDED_BACK, VoucherStatus.VOIDED)


Verb = Callable[[], Awaitable[None]]


class Walk:
    """Four programmes with a few organisations each, and everything that may happen to their vouchers."""

    def __init__(self, seed: int, *slugs: str) -> None:
        self.slugs = slugs
        self.chance = random.Random(seed)
        self.desk = Desk()
        self.clocks = ProgrammeClocks(self.desk.clock, {RANKED: MONDAY_2020 - MORNING})
        # No round of these is grabbed: nothing is ever told to Redis.
        self.rounds = Rounds(self.desk.programmes, self.clocks, desk=None)  # type: ignore[arg-type]
        self.applications = Applications(self.rounds)
        self.ranked = RankedRounds(self.rounds, self.desk.reviews.days)
        offer = WaitingList(self.applications, self.ranked).offer_returned
        self.vouchers = vouchers.Vouchers(self.rounds, offer=offer)
        going_on: list[tuple[Verb, int]] = [(self.go_on, 3), (self.part, 1)]
        self.verbs: dict[str, list[tuple[Verb, int]]] = {
            RANKED: [(self.batch, 3), (self.hand_back, 2), (self.order, 3), *going_on],
            ON_CONTRACT: [(self.request, 4), (self.decide, 4), (self.withdraw, 1), *going_on],
            ALLOTTED: [(self.allot, 2), (self.rise, 1), (self.sign, 3), *going_on],
            DRAWN: [(self.draw, 4), *going_on],
        }
        self.keys = 0
        self.trace: list[str] = []

    async def begin(self) -> None:
        desk = self.desk
        self.budgets: dict[str, Budget] = {}
        self.providers: dict[str, Organisation] = {}
        self.enterprises: dict[str, list[Organisation]] = {}
        for slug in self.slugs:
            at = self.clocks.now(slug)
            self.budgets[slug] = await desk.budget(slug, 1_000_000, at.year)
            self.providers[slug] = await desk.provider(slug)
            if slug == RANKED:
                programme = desk.programme(slug)
                self.enterprises[slug] = [await make_qualified(programme, at=at) for _ in range(3)]
                continue
            self.enterprises[slug] = [await desk.enterprise(slug) for _ in range(2)]
        if ON_CONTRACT in self.slugs:
            self.period = await desk.period(self.budgets[ON_CONTRACT], 30_000)

    # -- what may happen ------------------------------------------------------------------------------

    async def batch(self) -> None:
        """A round in which everybody applies who may, and which is closed and ranked."""
        now = self.clocks.now(RANKED)
        plan = RoundPlan("批次", now, now + DAY, yuan_to_fen(20_000), now + 60 * DAY)
        row = await self.rounds.plan(self.budgets[RANKED].id, plan, actor=CLOCK)
        await self.rounds.schedule(row.id, actor=CLOCK)
        for enterprise in self.chance.sample(self.enterprises[RANKED], 3):
            self.keys += 1
            asked_fen = yuan_to_fen(self.chance.choice((5_000, 15_000, 20_000)))
            ask = Ask(row.id, f"{self.keys:032x}", asked_fen)
            with suppress(Refusal):
                await self.applications.put(ask, actor=person_of(enterprise))
        if (await Round.get(id=row.id)).status is RoundStatus.SCHEDULED:
            await self.rounds.close(row.id, actor=CLOCK, reason="")
        await self.ranked.rank_due()

    async def request(self) -> None:
        enterprise = self.chance.choice(self.enterprises[ON_CONTRACT])
        amount_yuan = self.chance.choice((3_000, 6_000, 10_000))
        await self.desk.asked(self.period, enterprise, self.providers[ON_CONTRACT], amount_yuan)

    async def decide(self) -> None:
        pending = await VoucherRequest.filter(status="pending")
        if pending:
            verdict = self.chance.choice(("approved", "approved", "rejected"))
            await self.desk.decide(self.chance.choice(pending), verdict)

    async def withdraw(self) -> None:
        waiting = await VoucherRequest.filter(status__in=["pending", "approved"]).select_related("enterprise")
        if waiting:
            one = self.chance.choice(waiting)
            await self.desk.requests.withdraw(one.id, reason="", actor=person_of(one.enterprise))

    async def allot(self) -> None:
        await self.desk.allotments.allot_due()

    async def rise(self) -> None:
        enterprise = self.chance.choice(self.enterprises[ALLOTTED])
        code = self.chance.choice(("regional_srdi_sme", "national_little_giant"))
        if not await AttestedLabel.exists(uscc=enterprise.uscc, code=code):
            await self.desk.label(enterprise, code)
        await self.desk.settle(enterprise)

    async def sign(self) -> None:
        enterprise = self.chance.choice(self.enterprises[ALLOTTED])
        amount_yuan = self.chance.choice((20_000, 60_000, 200_000))
        await self.desk.signed(enterprise, self.providers[ALLOTTED], amount_yuan)

    async def draw(self) -> None:
        enterprise = self.chance.choice(self.enterprises[DRAWN])
        contract = {"contract_number": f"HT-{enterprise.id}", "amount_fen": yuan_to_fen(400_000)}
        project = f"项目{self.chance.randrange(6)}"
        await self.desk.drawn(enterprise, self.providers[DRAWN], 60_000, project=project, contract=contract)

    async def order(self) -> None:
        """An order names a voucher, and wants all of it or as much as the order may have."""
        voucher = await self._some(VoucherStatus.ACTIVE, RANKED)
        if voucher is None:
            return
        holder = await Organisation.get(id=voucher.enterprise_id)
        price_yuan = self.chance.choice((2_000, 15_000))
        known = {"voucher_id": voucher.id, "project": f"项目{self.chance.randrange(6)}"}
        await self.desk.opened(RANKED, holder, self.providers[RANKED], price_yuan, **known)

    async def go_on(self) -> None:
        """Both sides of an order do some of its steps, or all of them."""
        order = await self._under_way()
        for _ in range(self.chance.choice((1, 3, 9))):
            if order is None or order.status is not OrderStatus.OPEN:
                return
            deeds = order_book.deeds_of(await order_book.acts_of(order.id))
            turns = waits_for(self.desk.orders.terms_of(order).programme, deeds)
            if not turns or order.step is StepKind.REQUEST_VOUCHER:
                return
            side = order.enterprise_id if turns[0] is Party.ENTERPRISE else order.provider_id
            order = await self.desk.step(order, await Organisation.get(id=side))

    async def part(self) -> None:
        """An order comes to nothing."""
        order = await self._under_way()
        if order is not None:
            await self.desk.ends.terminate(order.id, reason="协商终止", actor=OPERATOR)

    async def _under_way(self) -> Order | None:
        orders = await Order.filter(programme_slug__in=self.slugs, status__in=LIVE).order_by("id")
        return self.chance.choice(orders) if orders else None

    async def hand_back(self) -> None:
        voucher = await self._some(VoucherStatus.ACTIVE, RANKED)
        if voucher is not None:
            holder = await Organisation.get(id=voucher.enterprise_id)
            await self.vouchers.hand_back(voucher.id, actor=person_of(holder), reason="")

    async def void(self) -> None:
        voucher = await self._some(VoucherStatus.ACTIVE, self.chance.choice(list(self.budgets)))
        if voucher is not None:
            after = await self.vouchers.void(voucher, actor=CLOCK, reason="虚构", clause="")
            await after()

    async def night(self) -> None:
        """Time passes, and the jobs of the night run."""
        self.desk.clock.advance(self.chance.choice((*[DAY] * 8, 31 * DAY, 100 * DAY)))
        for slug in self.budgets:
            await self.vouchers.expire_due(slug)
            await self.vouchers.reclaim_due(slug)
        await self.desk.requests.issue_due()
        await self.desk.line.resume()
        await self.desk.ends.lapse_due()

    async def _some(self, status: VoucherStatus, slug: str) -> Voucher | None:
        rows = await Voucher.filter(status=status, programme_slug=slug).order_by("id")
        return self.chance.choice(rows) if rows else None

    # -- what must hold -------------------------------------------------------------------------------

    async def step(self) -> None:
        verbs = [(verb, weight) for slug in self.slugs for verb, weight in self.verbs[slug]]
        verbs += [(self.void, 1), (self.night, 1)]
        ((verb, _),) = self.chance.choices(verbs, weights=[weight for _, weight in verbs])
        name = getattr(verb, "__name__", "")
        try:
            await verb()
        except Refusal as refusal:
            name += f" ({refusal.code})"
        self.trace.append(name)
        await self.check()

    async def check(self) -> None:
        assert await ledger.verify() == [], self.trace
        rows = await Voucher.all()
        entries = await LedgerEntry.filter(voucher_id__isnull=False)
        moved: dict[tuple[int, Movement], int] = defaultdict(int)
        for entry in entries:
            moved[entry.voucher_id or 0, entry.movement] += entry.amount_fen
        balances = await ledger.balances_of_vouchers(
            {row.enterprise_id for row in rows}, [row.id for row in rows]
        )
        counted: dict[tuple[int, int], int] = defaultdict(int)
        for row in rows:
            free_again = GIVES_BACK.get(row.programme_slug, ())
            counted[row.budget_id, row.enterprise_id] += row.face_value_fen - sum(
                moved[row.id, movement] for movement in free_again
            )
            if row.status in ENDED:
                assert not balances[row.id][Account.AVAILABLE], (row.number, self.trace)
        for slug in QUOTA_FEN.keys() & set(self.slugs):
            quota_fen = QUOTA_FEN[slug]
            budget, programme = self.budgets[slug], self.desk.programme(slug)
            ids = [one.id for one in self.enterprises[slug]]
            taken = await entitlements.taken_fen(programme, budget.id, ids)
            for one in ids:
                assert taken.get(one, 0) == counted[budget.id, one], (slug, one, self.trace)
                assert taken.get(one, 0) <= quota_fen, (slug, one, self.trace)
        drawn_fen: dict[int | None, int] = defaultdict(int)
        for order in await Order.filter(programme_slug=DRAWN, voucher_id__isnull=False):
            faces_fen = {
                row.id: row.face_value_fen for row in rows if row.status is not VoucherStatus.HANDED_BACK
            }
            drawn_fen[order.contract_id] += faces_fen.get(order.voucher_id or 0, 0)
        assert all(fen <= MOST_ON_A_CONTRACT_FEN for fen in drawn_fen.values()), self.trace
        years = {row.id: row for row in await Budget.all()}
        for entry in entries:
            if entry.movement in RETURNS.values():
                slug, year = years[entry.budget_id].programme_slug, years[entry.budget_id].year
                assert self.desk.programme(slug).year_of(entry.at) == year, self.trace


OPERATOR = replace(CLOCK, kind="staff", id=1, roles=frozenset({"operator"}))


@pytest.fixture
async def opened(sqlite_url: str) -> AsyncIterator[TortoiseContext]:
    context = await open_database(sqlite_url)
    yield context
    await close_database(context)


async def walked(seed: int, *slugs: str) -> Walk:
    walk = Walk(seed, *slugs)
    await walk.begin()
    for _ in range(STEPS):
        await walk.step()
    return walk


@pytest.mark.parametrize("slugs", [(RANKED,), (ON_CONTRACT,), (ALLOTTED, DRAWN)])
async def test_a_walk_of_many_steps_keeps_every_sum(opened: TortoiseContext, slugs: tuple[str, ...]) -> None:
    walk = await walked(1, *slugs)
    assert await Voucher.all().count() > 1, walk.trace


# -- what a walk sees --------------------------------------------------------------------------------

Plant = Callable[[pytest.MonkeyPatch], None]


def planted_burn(patch: pytest.MonkeyPatch) -> None:
    """What was taken back for a missed deadline, or lapsed, costs no quota."""
    right = vouchers.end_of_voucher
    patch.setattr(
        vouchers,
        "end_of_voucher",
        lambda *args, **named: replace(right(*args, **named), given_back=True),
    )


def planted_loss(patch: pytest.MonkeyPatch) -> None:
    """What is handed back is posted as lapsed, and returns from where it never was."""
    right = vouchers.end_of_voucher

    def wrong(programme: Any, ending: Ending, *args: Any, **named: Any) -> Any:
        end = right(programme, ending, *args, **named)
        return replace(end, movement=Movement.EXPIRE) if ending is Ending.HAND_BACK else end

    patch.setattr(vouchers, "end_of_voucher", wrong)


def planted_quota(patch: pytest.MonkeyPatch) -> None:
    """The year's quota is forgotten where requests are worked out and issued."""
    for module in (request_book, request_issuing):
        patch.setattr(module, "quota_left", lambda *_: None)


def planted_queue(patch: pytest.MonkeyPatch) -> None:
    """Whoever waits is offered what they asked for, whatever they have had since."""
    right = WaitingList._fit

    async def wrong(self: WaitingList, programme: Any, budget: Any, entry: Any, now: datetime) -> Any:
        fit = await right(self, programme, budget, entry, now)
        return None if fit is None else replace(fit, amount_fen=entry.asked_fen)

    patch.setattr(WaitingList, "_fit", wrong)


@pytest.mark.parametrize(
    ("plant", "slug", "seed"),
    [
        (planted_burn, RANKED, 1),
        (planted_loss, RANKED, 1),
        (planted_queue, RANKED, 10),
        (planted_quota, ON_CONTRACT, 5),
    ],
)
async def test_a_walk_sees_what_was_planted(
    opened: TortoiseContext, plant: Plant, slug: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        await walked(seed, slug)
