"""Recoveries: claimed with the decision, demanded by letter, collected in the ledger, written off by two."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.outbox import OutboxMessage
from server.models.sanctions import Recovery, RecoveryReceipt
from server.programme.vocabulary import Party
from server.rules.money import Account
from server.rules.recoveries import RecoveryStatus
from server.services.access import NotAllowed, NotFound
from server.services.budgets import ledger
from server.services.reviews.reviewers import OwnReview
from server.services.sanctions.recoveries import (
    InstalmentsUneven,
    RecoveryMovedOn,
    RecoveryOver,
    WriteOffNotAsked,
    recovery_for,
)
from server.services.sanctions.recovery_letters import NotDemanded
from server.services.sanctions.recovery_receipts import ReceiptDayImpossible, ReceiptKnown, ReceiptTooMuch
from server.services.sanctions.recovery_returns import (
    NothingOwedBack,
    ReturnAsked,
    ReturnDayImpossible,
    ReturnNotAsked,
)
from server.services.sanctions.sanction_decisions import OffsetNotAllowed
from tests.contracting import GRABBED, person_of
from tests.sanctioning import Court

DAY = timedelta(days=1)
PROVISIONAL = "（暂定，以公布的放假安排为准）"
WHOLE_FEN, BORNE_FEN = 600_000, 4_140  # 6,000 yuan for 73 days at 3.45 % a year.


async def claimed(court: Court, **more: Any) -> Recovery:
    """6,000 yuan paid out 73 days ago are claimed back from their provider."""
    enterprise, provider = await court.enterprise(GRABBED), await court.provider(GRABBED)
    order, _ = await court.paid(GRABBED, enterprise, provider)
    case = await court.sanctioned(GRABBED, provider, Party.PROVIDER, "fraud", orders=[order.id], **more)
    assert case.preview["arithmetic"].endswith("合计 6,041.40 元")
    return await Recovery.get(case_id=case.id).select_related("debtor")


@pytest.mark.rules("LS-79", "GX-75")
async def test_what_comes_back_is_posted_principal_and_surcharge_apart(court: Court) -> None:
    claim, operator = await claimed(court), await court.staff("operator")
    office, today = court.sanctions, court.today(GRABBED)
    with pytest.raises(NotDemanded):
        await office.letters.print(claim)
    claim = await office.recoveries.demand(claim.id, version=claim.version, actor=operator)
    assert (claim.status, claim.letter["principal_fen"], claim.letter["surcharge_fen"]) == (
        RecoveryStatus.DEMANDED,
        WHOLE_FEN,
        BORNE_FEN,
    )
    printed = await office.letters.print(claim)
    assert printed.startswith(b"%PDF")
    assert await office.letters.print(claim) == printed

    known: dict[str, Any] = {
        "reference": "2026051800001",
        "amount_fen": 400_000,
        "received_on": today,
        "version": claim.version,
        "actor": operator,
    }
    for refusal, more in (
        (ReceiptDayImpossible, {"received_on": today + DAY}),
        (ReceiptDayImpossible, {"received_on": today - 74 * DAY}),
        (ReceiptTooMuch, {"amount_fen": WHOLE_FEN + BORNE_FEN + 1}),
        (RecoveryMovedOn, {"version": claim.version - 1}),
        (NotAllowed, {"actor": await court.staff("district")}),
        (NotFound, {"actor": await court.staff("expert")}),
    ):
        with pytest.raises(refusal):
            await office.receipts.receive(claim.id, **{**known, **more})
    first = await office.receipts.receive(claim.id, **known)
    assert (first.principal_fen, first.surcharge_fen) == (400_000, 0)
    claim = await recovery_for(operator, claim.id)
    with pytest.raises(ReceiptKnown):
        await office.receipts.receive(claim.id, **{**known, "version": claim.version, "amount_fen": 100_000})
    balance = await office.recoveries.today(claim)
    assert (balance.principal_fen, balance.surcharge_fen) == (200_000, BORNE_FEN)
    last: dict[str, Any] = {
        "version": claim.version,
        "reference": "2026051800002",
        "amount_fen": 200_000 + BORNE_FEN,
    }
    await office.receipts.receive(claim.id, **{**known, **last})
    claim = await recovery_for(operator, claim.id)
    assert (claim.status, claim.collected_fen, claim.surcharge_fen) == ("collected", WHOLE_FEN, BORNE_FEN)
    balances = await ledger.balances()
    assert (balances[Account.DISBURSED], balances[Account.SURCHARGE]) == (0, BORNE_FEN)
    assert await RecoveryReceipt.all().count() == 2
    with pytest.raises(RecoveryOver):
        await office.recoveries.demand(claim.id, version=claim.version, actor=operator)
    assert await ledger.verify() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_instalments_are_the_principal_day_after_day_and_who_is_late_is_reminded_once(
    court: Court,
) -> None:
    claim, treasury = await claimed(court), await court.staff("treasury")
    recoveries, today = court.sanctions.recoveries, court.today(GRABBED)
    plan = [(today + 30 * DAY, 300_000), (today + 60 * DAY, 300_000)]
    with pytest.raises(NotDemanded):  # It would never be overdue.
        await recoveries.plan(claim.id, plan, version=claim.version, actor=treasury)
    claim = await recoveries.demand(claim.id, version=claim.version, actor=treasury)
    for wrong in (plan[:1], plan[::-1], [(today - DAY, 300_000), plan[1]], [(today, 600_000), (today, 0)]):
        with pytest.raises(InstalmentsUneven):
            await recoveries.plan(claim.id, wrong, version=claim.version, actor=treasury)
    claim = await recoveries.plan(claim.id, plan, version=claim.version, actor=treasury)
    assert claim.due_on == today + 60 * DAY
    court.clock.advance(60 * DAY)
    assert await recoveries.remind_due() == 0
    court.clock.advance(DAY)
    assert (await recoveries.remind_due(), await recoveries.remind_due()) == (1, 0)
    assert await OutboxMessage.filter(topic="recovery.overdue").count() == 1
    claim = await recoveries.demand(claim.id, version=claim.version, actor=treasury)
    assert claim.instalments == [], "demanded anew, all of it is due by the letter's day"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_last_day_that_was_guessed_takes_nothing_until_its_year_is_published(court: Court) -> None:
    court.clock.at = datetime(2026, 12, 15, tzinfo=UTC)  # Nobody has published the next year's days yet.
    claim, treasury = await claimed(court), await court.staff("treasury")
    recoveries = court.sanctions.recoveries
    claim = await recoveries.demand(claim.id, version=claim.version, actor=treasury)
    assert claim.due_on is not None and claim.due_provisional
    assert (await OutboxMessage.get(topic="recovery.demanded")).data["day"].endswith(PROVISIONAL)
    court.clock.at += 60 * DAY
    assert (await recoveries.remind_due(), await recoveries.recount()) == (0, 0)
    # Published: the first days of January are free, and the debtor has longer.
    days, known = court.working_days, court.working_days.calendar
    off = {date(2027, 1, day) for day in (1, 4, 5)}
    days.calendar = replace(known, years=known.years | {2027}, off=known.off | off)
    assert (await recoveries.recount(), await recoveries.recount()) == (1, 0)
    counted = await Recovery.get(id=claim.id)
    assert counted.due_on is not None and not counted.due_provisional
    assert (claim.due_on, counted.due_on) == (date(2027, 1, 5), date(2027, 1, 8))
    assert await OutboxMessage.filter(topic="recovery.demanded").count() == 2
    assert await recoveries.remind_due() == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_claim_is_written_off_by_two(court: Court) -> None:
    claim, one, two = await claimed(court), await court.staff("authority"), await court.staff("authority")
    recoveries = court.sanctions.recoveries
    with pytest.raises(WriteOffNotAsked):
        await recoveries.write_off(claim.id, agreed=True, version=claim.version, actor=two)
    claim = await recoveries.ask_write_off(claim.id, "单位已注销", version=claim.version, actor=one)
    with pytest.raises(OwnReview):
        await recoveries.write_off(claim.id, agreed=True, version=claim.version, actor=one)
    claim = await recoveries.write_off(claim.id, agreed=False, version=claim.version, actor=two)
    claim = await recoveries.ask_write_off(claim.id, "单位已注销", version=claim.version, actor=one)
    claim = await recoveries.write_off(claim.id, agreed=True, version=claim.version, actor=two)
    assert (claim.status, claim.write_off_reason) == (RecoveryStatus.WRITTEN_OFF, "单位已注销")
    # Nobody reads that it is still owed.
    assert (await recoveries.today(claim)).principal_fen == 0
    assert (await ledger.balances())[Account.DISBURSED] == WHOLE_FEN


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_where_the_house_keeps_nothing_back_no_decision_says_so(court: Court) -> None:
    claim = await claimed(court, may_offset=True)
    assert claim.may_offset
    with pytest.raises(NotFound):
        await recovery_for(person_of(await court.enterprise(GRABBED)), claim.id)
    book = court.sanctions.recoveries.book
    book.defaults = replace(book.defaults, keeps_back=False)
    with pytest.raises(OffsetNotAllowed):
        await claimed(court, may_offset=True)


@pytest.mark.rules("LS-79")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_a_reversed_decision_had_collected_goes_back_by_two_and_is_the_other_sides_to_pay(
    court: Court,
) -> None:
    claim, operator, office = await claimed(court), await court.staff("operator"), court.sanctions
    today, order = court.today(GRABBED), await Order.get()
    await office.receipts.receive(
        claim.id, "2026051800001", WHOLE_FEN + BORNE_FEN, today, version=claim.version, actor=operator
    )
    other = await court.sanctioned(
        GRABBED, await Organisation.get(id=order.enterprise_id), Party.ENTERPRISE, "fraud", orders=[order.id]
    )
    assert other.preview["principal_fen"] == 0
    claim = await Recovery.get(id=claim.id).select_related("debtor", "case")
    asked: dict[str, Any] = {"reference": "2026052000001", "paid_on": today, "actor": operator}
    with pytest.raises(NothingOwedBack):
        await office.returns.ask(claim.id, version=claim.version, **asked)
    await office.appeals.appeal(claim.case.id, "并非我方所为", actor=person_of(claim.debtor))
    await office.appeals.answer(
        claim.case.id, upheld=True, reason="查无此事", version=claim.case.version,
        actor=await court.staff("authority"),
    )  # fmt: skip
    claim = await Recovery.get(id=claim.id)
    assert (await OutboxMessage.get(topic="recovery.to_give_back")).data[
        "amount_fen"
    ] == WHOLE_FEN + BORNE_FEN
    with pytest.raises(ReturnDayImpossible):
        await office.returns.ask(claim.id, version=claim.version, **{**asked, "paid_on": today + DAY})
    with pytest.raises(ReturnNotAsked):
        authority = await court.staff("authority")
        await office.returns.decide(claim.id, agreed=True, version=claim.version, actor=authority)
    claim = await office.returns.ask(claim.id, version=claim.version, **asked)
    with pytest.raises(ReturnAsked):
        await office.returns.ask(claim.id, version=claim.version, **asked)
    both = await court.again(operator, "operator", "treasury")
    with pytest.raises(OwnReview):
        await office.returns.decide(claim.id, agreed=True, version=claim.version, actor=both)
    claim = await office.returns.decide(claim.id, agreed=False, version=claim.version, actor=authority)
    claim = await office.returns.ask(claim.id, version=claim.version, **asked)
    claim = await office.returns.decide(claim.id, agreed=True, version=claim.version, actor=authority)
    with pytest.raises(NothingOwedBack):
        await office.returns.ask(claim.id, version=claim.version, **asked)
    sums = await ledger.balances()
    assert (sums[Account.DISBURSED], sums[Account.SURCHARGE]) == (WHOLE_FEN, 0)
    # The other side's decision stands, and now the money is out again.
    assert (await Recovery.get(case_id=other.id)).principal_fen == WHOLE_FEN
    assert await ledger.verify() == []
