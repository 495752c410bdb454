"""Demo settlements: finished orders of one programme on their way to the bank, each stopped somewhere else.

Everything is done through the services and by
the programme's clock, so that terms of days run as they do for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from aiohttp import web

from server import keys
from server.demo_forms import scans
from server.demo_officials import Officials
from server.demo_orders import made_up_number, open_order, walk
from server.demo_payments import PaymentDesk
from server.models.monitoring import AnomalyFinding
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.reviews import ReviewCase, ReviewDecision
from server.models.sampling import SamplingDraw
from server.models.settlements import Settlement
from server.models.voucher_requests import VoucherRequest
from server.programme.model import Programme
from server.programme.papers import AmountRule, Document, DocumentKind
from server.programme.review import ReviewKind, ReviewStep, ReviewSubject, Sampled
from server.programme.vocabulary import Actor as Role
from server.programme.vocabulary import Party
from server.rules.anomalies import holding_sanction
from server.rules.deadlines import day_of
from server.rules.orders import OrderStatus
from server.rules.review import CaseStatus, Record, Verdict
from server.rules.settlements import SettlementStatus, asked_documents, for_all, has_windows
from server.services.access import Actor
from server.services.orders.order_papers import HandIn
from server.services.reviews.review_cases import copied
from server.services.reviews.sampling_draws import Plan
from server.services.settlements.settlement_papers import ForOrder
from server.texts import DEMO, DEMO_GUIDE, LIST

LONGEST = 60
"""Steps after which a chain is thought to go round in a circle."""
BY_OTHERS = frozenset(
    {
        ReviewKind.PUBLIC_NOTICE,
        ReviewKind.EXPERT_REVIEW,
        ReviewKind.SITE_INSPECTION,
        ReviewKind.DISBURSEMENT,
        ReviewKind.FILING,
        ReviewKind.ARCHIVE,
    }
)
"""Steps that take more than somebody's approval."""
WINDOW_DAYS = 60


Travel = Callable[[int], None]
"""Lets it be so many days before today."""
RESULTS, APPLIED, LATELY = 27, 24, 4
"""Days before today: vouchers are there, the first orders are settled, their notices are over."""


async def settle_some(
    app: web.Application,
    programme: Programme,
    officials: Officials,
    enterprises: Sequence[Actor],
    provider: Actor,
    travel: Travel,
    *,
    is_paid: bool,
) -> None:
    """Finished orders of these enterprises with this provider, their money each in another state.

    The first is paid and in the archive; where it is not ``is_paid``, the bank returned it, and it is payable
    to a new account. The second waits for its first official, the third for whoever asks for its money.
    """
    desk = SettlementDesk(app, programme, officials, provider)
    bank = PaymentDesk(app, programme, officials, provider)
    travel(RESULTS)
    orders = await desk.orders(enterprises[:1], "paid")
    travel(APPLIED)
    await desk.open_window()
    settled = await desk.hand_in(orders) if orders else []
    await desk.approve_all(settled)
    await desk.publish()
    travel(LATELY)
    await app[keys.PUBLIC_NOTICES].close_due()
    await desk.approve_all(settled)
    await bank.enter_account()
    if await bank.pay(settled, succeeds=is_paid) and not is_paid:
        await bank.enter_account()
    later = await desk.orders(enterprises, "later")
    travel(0)
    await desk.hand_in(later[:1])
    if holding_sanction(programme) is not None:
        # Ordered and settled within a day: where the text says so, that holds the payment (YC-40).
        quick = await desk.hand_in(await desk.orders(enterprises[:1], "quick"))
        for one in quick:
            await app[keys.SUPERVISION].anomalies.scan(one.id)


async def where_to_look(app: web.Application) -> list[str]:
    """What there is to try from a finished order to the archive, in which programme and as whom."""
    slugs = Settlement.all().order_by("programme_slug")
    closed, payable = [
        dict.fromkeys(await slugs.filter(status=status).values_list("programme_slug", flat=True))
        for status in (SettlementStatus.CLOSED, SettlementStatus.PAYABLE)
    ]
    drawn = dict.fromkeys(await SamplingDraw.all().values_list("programme_slug", flat=True))
    odd = dict.fromkeys(await AnomalyFinding.all().values_list("programme_slug", flat=True))
    told = {"closed": closed, "payable": payable, "drawn": drawn, "odd": odd}
    return DEMO_GUIDE.format(
        **{name: LIST.join(map(str, found)) or DEMO["nowhere"] for name, found in told.items()}
    ).splitlines()


class SettlementDesk:
    """The provider's and the officials' part in the settlements of one programme."""

    def __init__(
        self, app: web.Application, programme: Programme, officials: Officials, provider: Actor
    ) -> None:
        self.app = app
        self.programme = programme
        self.officials = officials
        self.provider = provider

    # -- orders ----------------------------------------------------------------------------------------

    async def orders(self, enterprises: Sequence[Actor], about: str) -> list[Order]:
        """A finished order of each enterprise."""
        found = [
            await self._finished(enterprise, DEMO[f"project_{about}"].format(number=number))
            for number, enterprise in enumerate(enterprises, 1)
        ]
        return [one for one in found if one is not None]

    async def _finished(self, enterprise: Actor, project: str) -> Order | None:
        """An order with every step done up to its settlement; ``None`` where it does not get there."""
        people = {Party.ENTERPRISE: enterprise, Party.PROVIDER: self.provider}
        order = await open_order(self.app, self.programme, people, project)
        if order is None:
            return None
        order = await walk(self.app, order, people)
        request = await VoucherRequest.get_or_none(order_id=order.id)
        if request is not None:
            case = await ReviewCase.get_or_none(subject=ReviewSubject.VOUCHER_REQUEST, subject_id=request.id)
            if case is not None:
                await self.approve_on(case.id)
            order = await walk(self.app, await Order.get(id=order.id), people)
        return order if order.status is OrderStatus.DONE else None

    # -- the provider ----------------------------------------------------------------------------------

    async def open_window(self) -> None:
        """Where the text has windows, one that is open from now on."""
        if has_windows(self.programme):
            now = self._now
            await self.app[keys.SETTLEMENTS].windows.announce(
                self.programme.slug,
                DEMO["window"],
                now,
                now + timedelta(days=WINDOW_DAYS),
                actor=self.officials.first(Role.AUTHORITY.value),
            )

    async def hand_in(self, orders: Sequence[Order]) -> list[Settlement]:
        """One application for these orders, with its papers and stamped forms."""
        desk, settlements = self.app[keys.SETTLEMENTS].drafts, self.app[keys.SETTLEMENTS]
        claimed_by = self.programme.settlement.claimed_by
        actor = self.provider if claimed_by is Role.PROVIDER else self.officials.first(claimed_by.value)
        application = await desk.open([one.id for one in orders], actor=actor)
        asked = self._asked()
        own = [one for one in asked if not for_all(one)]
        papers = [ForOrder(order.id, await self._paper(order, one, actor)) for order in orders for one in own]
        papers += [
            ForOrder(None, await self._paper(orders[0], one, actor))
            for one in asked
            if for_all(one) and one.kind is not DocumentKind.SETTLEMENT_FORM
        ]
        forms = {one.code: one for one in asked_documents(self.programme) if one.template}
        if forms:
            for printed in await desk.print_forms(application.id, actor=actor):
                file_ids = await scans(
                    self.app, self.programme, forms[printed.code], application.number, actor
                )
                papers.append(ForOrder(None, HandIn(code=printed.code, file_ids=file_ids)))
        if papers:
            application = await desk.hand_in_papers(
                application.id, papers, version=application.version, actor=actor
            )
        await settlements.submit(application.id, version=application.version, actor=actor)
        return await Settlement.filter(application_id=application.id).order_by("id")

    def _asked(self) -> list[Document]:
        """What is owed beside the order's own papers; of several that stand for each other, the first."""
        owed, groups = [], set[str]()
        for document in asked_documents(self.programme):
            if not document.required or (document.groups and groups.issuperset(document.groups)):
                continue
            groups |= set(document.groups)
            owed.append(document)
        return owed

    async def _paper(self, order: Order, document: Document, actor: Actor) -> HandIn:
        money = document.amount is AmountRule.OWN_SHARE
        enterprise = await Organisation.get(id=order.enterprise_id)
        provider = await Organisation.get(id=order.provider_id)
        title = f"{order.number} settlement {document.code}"
        price_fen = order.actual_fee_fen or order.contract_fen or order.price_fen
        return HandIn(
            code=document.code,
            file_ids=await scans(self.app, self.programme, document, title, actor),
            number=made_up_number(title) if money else "",
            amount_fen=price_fen - order.voucher_fen if money else None,
            dated=day_of(self._now),
            payer=enterprise.name if money else "",
            payee=provider.name if money else "",
        )

    # -- the officials ---------------------------------------------------------------------------------

    async def approve_on(self, case_id: int) -> None:
        """Everybody whose turn it is approves, until a notice, a draw or the payment is waited for."""
        for _ in range(LONGEST):
            case = await ReviewCase.get(id=case_id)
            if case.status is not CaseStatus.OPEN or case.turn is None or case.place is None:
                return
            kind = copied(case).chain.steps[case.place].kind
            if kind in BY_OTHERS:
                return
            decided = await ReviewDecision.filter(case_id=case.id).values_list("reviewer_id", flat=True)
            hands = [None if one is None else int(str(one)) for one in decided]
            await self.app[keys.REVIEWS].decide(
                case.id,
                Verdict.APPROVED,
                version=case.version,
                record=Record(held_on=day_of(self._now) if kind is ReviewKind.COMMITTEE else None),
                actor=self.officials.other(case.turn.value, *hands),
            )

    async def approve_all(self, settlements: Sequence[Settlement]) -> None:
        """The same for several settlements, with the draw their chain waits for."""
        cases = [one.case_id for one in settlements if one.case_id is not None]
        for case_id in cases:
            await self.approve_on(case_id)
        if await ReviewCase.filter(id__in=cases, status=CaseStatus.OPEN, turn=None).exists():
            await self._draw()
            for case_id in cases:
                await self.approve_on(case_id)

    async def _draw(self) -> None:
        """Commit to a seed, lock the list, draw: anybody may draw again from what is published."""
        step = self._step(ReviewKind.SPOT_CHECK)
        check = next(
            (one for one in self.programme.samplings if step is not None and one.share_bp == step.share_bp),
            None,
        )
        if step is None or check is None:
            return
        draws, actor = self.app[keys.DRAWS], self.officials.first(step.by.value)
        plan = Plan(code=check.code, over=Sampled.REVIEW)
        made = await draws.announce(self.programme.slug, plan, actor=actor)
        made = await draws.lock(made.id, version=made.version, actor=actor)
        await draws.draw(made.id, version=made.version, actor=actor)

    async def publish(self) -> None:
        """Where settlements wait for a notice, one drafts it, another publishes it, each channel shows it."""
        step = self._step(ReviewKind.PUBLIC_NOTICE)
        if step is None:
            return
        desk, maker = self.app[keys.NOTICE_DESK], self.officials.first(step.by.value)
        publisher = self.officials.other(step.by.value, maker.id)
        draft = await desk.drafts.draft(self.programme.slug, title="", line_ids=None, actor=maker)
        seen = await desk.drafts.preview(draft.id, actor=publisher)
        notice = await desk.drafts.publish(
            draft.id, version=seen.notice.version, sha256=seen.sha256, actor=publisher
        )
        terms = self.programme.public_notice
        for channel in terms.channels:
            if channel not in terms.on_platform:
                await desk.standing.show(
                    notice.id, channel, shown_on=day_of(self._now), url=DEMO["channel_url"], actor=maker
                )

    def _step(self, kind: ReviewKind) -> ReviewStep | None:
        """The step of this kind in the chain of settlements."""
        chain = self.programme.review(ReviewSubject.SETTLEMENT)
        return next((one for one in (() if chain is None else chain.steps) if one.kind is kind), None)

    @property
    def _now(self) -> datetime:
        return self.app[keys.CLOCKS].now(self.programme.slug)
