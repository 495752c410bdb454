"""Contract references: who enters them, what is checked, and what the signing freezes and releases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from server.models.contracts import Contract, VoucherHold
from server.models.journal import JournalEntry
from server.models.organisations import NameRecord, Organisation, Qualification
from server.models.outbox import OutboxMessage
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.programme.vocabulary import Party
from server.rules.budgets import ContractsPaused
from server.rules.contracts import ContractStatus
from server.rules.lifecycles import IllegalMove, QualificationStatus
from server.rules.money import Account
from server.services import budgets, contract_lists, ledger
from server.services.access import NotFound
from server.services.annual_notices import KindNotAnnounced, KindNotNow, KindUnknown
from server.services.contract_sketches import ContractUnusable, NotAParty, NotYoursToMake
from server.services.contracts import ContractKnown, PartyNotRegistered, SignedAlready
from server.services.rounds import Rounds
from server.services.standings import NotInStanding
from server.services.voucher_holds import NothingToPay, YearNotOpen
from server.services.vouchers import Vouchers
from server.units import yuan_to_fen
from tests.contracting import (
    ALLOTTED,
    CATEGORY,
    DAY,
    DRAWN,
    ON_CONTRACT,
    OPERATOR,
    TODAY,
    Desk,
    person_of,
)


async def sides(desk: Desk, slug: str = ALLOTTED, *labels: str) -> tuple[Organisation, Organisation]:
    """An approved enterprise with its quota, and an approved provider."""
    enterprise, provider = await desk.enterprise(slug, *labels), await desk.provider(slug)
    if await Budget.exists(programme_slug=slug):
        await desk.settle(enterprise, slug)
    return enterprise, provider


async def balances(enterprise: Organisation) -> dict[str, int]:
    """Available, held, and committed of the year, in yuan."""
    sums = await ledger.balances(enterprise_id=enterprise.id)
    return {name.value: sums[name] // 100 for name in (Account.AVAILABLE, Account.HELD, Account.COMMITTED)}


# -- entering ----------------------------------------------------------------------------------------


async def test_only_the_sides_of_a_contract_enter_it(desk: Desk) -> None:
    enterprise, provider = await sides(desk, ON_CONTRACT)
    stranger = await desk.enterprise(ON_CONTRACT)
    sketch = desk.sketch(ON_CONTRACT, enterprise, provider, 4_000)
    with pytest.raises(NotAParty):
        await desk.contracts.enter(ON_CONTRACT, sketch, actor=person_of(stranger))
    contract = await desk.contracts.enter(ON_CONTRACT, sketch, actor=person_of(enterprise))
    assert (contract.status, contract.made_by_party) == (ContractStatus.SIGNED, Party.ENTERPRISE)
    for one in (enterprise, provider):
        assert (await contract_lists.of_party(contract.id, actor=person_of(one)))[0].id == contract.id
    with pytest.raises(NotFound):
        await contract_lists.of_party(contract.id, actor=person_of(stranger))
    told = await OutboxMessage.get(topic="contract.entered")
    assert told.recipient == f"organisation:{provider.id}"


@pytest.mark.rules("YC-20")
async def test_where_the_provider_hands_the_contract_in_the_enterprise_does_not(desk: Desk) -> None:
    enterprise, provider = await sides(desk, DRAWN)
    sketch = desk.sketch(DRAWN, enterprise, provider, 100_000)
    with pytest.raises(NotYoursToMake) as refused:
        await desk.contracts.enter(DRAWN, sketch, actor=person_of(enterprise))
    assert refused.value.values["by"] == "服务机构"
    assert refused.value.clause == "第十一条（二）"
    assert (await desk.contracts.enter(DRAWN, sketch, actor=person_of(provider))).made_by_party == "provider"


async def test_a_contract_is_entered_once_until_it_comes_to_nothing(desk: Desk) -> None:
    enterprise, provider = await sides(desk, ON_CONTRACT)
    sketch = desk.sketch(ON_CONTRACT, enterprise, provider, 4_000)
    first = await desk.contracts.enter(ON_CONTRACT, sketch, actor=person_of(enterprise))
    with pytest.raises(ContractKnown):
        await desk.contracts.enter(ON_CONTRACT, sketch, actor=person_of(provider))
    await desk.contracts.fail(first.id, reason="双方协商终止", actor=OPERATOR)
    assert (await desk.contracts.enter(ON_CONTRACT, sketch, actor=person_of(provider))).id != first.id


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"signed_on": None}, "day_missing"),
        ({"signed_on": TODAY + DAY}, "signed_later"),
        ({"signed_on": date(2016, 6, 23)}, "outside_validity"),
        ({"category": "gardening"}, "unknown_category"),
        ({"enterprise_name": "别的有限公司"}, "names_match"),
        ({"provider_name": "别的有限公司"}, "names_match"),
    ],
)
async def test_what_cannot_be_a_contract_is_refused_with_everything_that_is_wrong(
    desk: Desk, wrong: dict[str, Any], code: str
) -> None:
    enterprise, provider = await sides(desk, ON_CONTRACT)
    with pytest.raises(ContractUnusable) as refused:
        await desk.entered(ON_CONTRACT, enterprise, provider, 4_000, **wrong)
    assert [one.code for one in refused.value.unmet] == [code]
    assert refused.value.unmet[0].clause
    assert await Contract.all().count() == 0
    await desk.entered(ON_CONTRACT, enterprise, provider, 4_000)


async def test_several_faults_come_back_together(desk: Desk) -> None:
    enterprise, _ = await sides(desk, ON_CONTRACT)
    with pytest.raises(ContractUnusable) as refused:
        await desk.entered(
            ON_CONTRACT, enterprise, enterprise, 4_000, signed_on=TODAY + DAY, enterprise_name="别的有限公司"
        )
    assert {one.code for one in refused.value.unmet} == {"signed_later", "same_party", "names_match"}


async def test_a_contract_keeps_the_name_its_parties_bore_on_its_day(desk: Desk) -> None:
    enterprise, provider = await sides(desk, ON_CONTRACT)
    renamed_at = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
    await NameRecord.create(organisation_id=enterprise.id, name="旧名有限公司", until=renamed_at)
    for day, name, fits in (
        (date(2026, 3, 9), "旧名有限公司", True),
        (date(2026, 3, 9), enterprise.name, False),
        (date(2026, 3, 10), "旧名有限公司", True),
        (date(2026, 3, 10), enterprise.name, True),
        (date(2026, 3, 11), "旧名有限公司", False),
        (date(2026, 3, 11), enterprise.name, True),
    ):
        entering = desk.entered(ON_CONTRACT, enterprise, provider, 4_000, signed_on=day, enterprise_name=name)
        if fits:
            assert (await entering).enterprise_name == name
        else:
            with pytest.raises(ContractUnusable):
                await entering


async def test_a_provider_that_is_not_registered_is_known_by_name_and_code(desk: Desk) -> None:
    enterprise, provider = await sides(desk, ON_CONTRACT)
    stranger = {"provider_uscc": "91640100MA76F5HY7X", "provider_name": "外地咨询有限公司"}
    contract = await desk.entered(ON_CONTRACT, enterprise, provider, 4_000, **stranger)
    assert (contract.provider_id, contract.provider_name) == (None, "外地咨询有限公司")
    # Where both sides sign on the platform, both have to be there.
    maker, partner = await sides(desk)
    with pytest.raises(PartyNotRegistered):
        await desk.entered(ALLOTTED, maker, partner, 4_000, **stranger)
    with pytest.raises(PartyNotRegistered):
        await desk.entered(DRAWN, enterprise, partner, 4_000, enterprise_uscc="91640100MA76F5HY7X")


# -- signing -----------------------------------------------------------------------------------------


@pytest.mark.rules("GX-52", "GX-56")
async def test_a_contract_is_signed_when_both_have_signed_and_then_quota_and_money_are_taken_together(
    desk: Desk,
) -> None:
    budget = await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    drafted = await desk.entered(ALLOTTED, enterprise, provider, 40_000)
    assert drafted.status is ContractStatus.DRAFTED
    half = await desk.contracts.sign(drafted.id, actor=person_of(enterprise))
    assert (half.status, half.signed_on, half.voucher_fen) == (ContractStatus.DRAFTED, None, 0)
    assert await balances(enterprise) == {"available": 50_000, "held": 0, "committed": 0}
    with pytest.raises(SignedAlready):
        await desk.contracts.sign(drafted.id, actor=person_of(enterprise))
    signed = await desk.contracts.sign(drafted.id, actor=person_of(provider))
    # Worked sum 7: 50 % of 40,000.
    assert (signed.status, signed.signed_on, signed.voucher_fen) == (ContractStatus.SIGNED, TODAY, 2_000_000)
    assert signed.clause == "第十一条"
    assert "50% × 40,000.00 = 20,000.00" in signed.arithmetic
    assert await balances(enterprise) == {"available": 30_000, "held": 20_000, "committed": 20_000}
    assert (await Budget.get(id=budget.id)).committed_fen == 2_000_000
    with pytest.raises(IllegalMove):
        await desk.contracts.sign(drafted.id, actor=person_of(provider))


@pytest.mark.rules("GX-30", "GX-31", "GX-33", "GX-56")
@pytest.mark.parametrize(
    ("category", "amount_yuan", "voucher_yuan"),
    [
        ("diagnosis_services", 8_000, 6_400),
        ("diagnosis_services", 12_500, 10_000),
        ("diagnosis_services", 30_000, 10_000),
        ("innovation_services", 40_000, 20_000),
        ("innovation_services", 100_000, 30_000),
    ],
)
async def test_the_worked_sums_of_a_signing(
    quiet_desk: Desk, category: str, amount_yuan: int, voucher_yuan: int
) -> None:
    await quiet_desk.budget(ALLOTTED)
    enterprise, provider = await sides(quiet_desk)
    signed = await quiet_desk.signed(enterprise, provider, amount_yuan, category=category)
    assert signed.voucher_fen == voucher_yuan * 100


@pytest.mark.rules("GX-56", "GX-58")
async def test_the_quota_may_be_spread_over_contracts_until_it_is_used_up(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    assert (await desk.signed(enterprise, provider, 100_000)).voucher_fen == 3_000_000
    assert (await desk.signed(enterprise, provider, 32_000)).voucher_fen == 1_600_000
    # Worked sum 8: 100,000 with 4,000 left pays 4,000.
    last = await desk.signed(enterprise, provider, 100_000)
    assert last.voucher_fen == 400_000
    assert last.arithmetic.endswith("年度额度 50,000.00 − 已用 46,000.00 = 4,000.00 → 4,000.00")
    with pytest.raises(NothingToPay) as refused:
        await desk.signed(enterprise, provider, 100_000)
    assert "已用 50,000.00 = 0.00" in refused.value.arithmetic
    assert refused.value.clause == "第十条（一）、第十九条"


@pytest.mark.rules("GX-58")
async def test_an_enterprise_may_spend_less_than_it_could(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    drafted = await desk.entered(ALLOTTED, enterprise, provider, 40_000)
    await desk.contracts.sign(drafted.id, actor=person_of(provider), wanted_fen=1)
    signed = await desk.contracts.sign(drafted.id, actor=person_of(enterprise), wanted_fen=500_000)
    assert signed.voucher_fen == 500_000, "what the provider wants is not asked"


async def test_a_contract_draws_on_the_difference_after_the_first_voucher(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    assert (await desk.signed(enterprise, provider, 80_000)).voucher_fen == 3_000_000
    await desk.label(enterprise, "innovative_sme")
    await desk.settle(enterprise)
    second = await desk.signed(enterprise, provider, 60_000)
    holds = await VoucherHold.filter(contract_id=second.id).order_by("id")
    assert [one.amount_fen for one in holds] == [2_000_000, 1_000_000]
    assert [one.voucher_id for one in holds] == [
        one.id for one in await Voucher.filter(enterprise_id=enterprise.id).order_by("serial")
    ]


@pytest.mark.rules("GX-65")
async def test_signing_pauses_when_the_years_money_does_not_cover_it_and_goes_on_when_there_is_more(
    desk: Desk,
) -> None:
    budget = await desk.budget(ALLOTTED, 30_000)
    enterprise, provider = await sides(desk)
    assert (await desk.signed(enterprise, provider, 40_000)).voucher_fen == 2_000_000
    drafted = await desk.entered(ALLOTTED, enterprise, provider, 20_000.02)
    await desk.contracts.sign(drafted.id, actor=person_of(provider))
    with pytest.raises(ContractsPaused) as refused:
        await desk.contracts.sign(drafted.id, actor=person_of(enterprise))
    assert refused.value.clause == "第十二条、第二十条、第二十一条"
    assert refused.value.arithmetic == "年度预算 30,000.00 − 已用 20,000.00 = 10,000.00 < 10,000.01"
    # Nothing is half done, and both sides hear of it.
    waiting = await Contract.get(id=drafted.id)
    assert (waiting.status, waiting.enterprise_signed_at) == (ContractStatus.DRAFTED, None)
    assert await balances(enterprise) == {"available": 30_000, "held": 20_000, "committed": 20_000}
    told = await OutboxMessage.filter(topic="contract.paused").order_by("id")
    assert [one.recipient for one in told] == [
        f"organisation:{enterprise.id}",
        f"organisation:{provider.id}",
    ]
    await budgets.top_up(budget.id, 1, actor=OPERATOR, now=desk.now, reason="追加")
    signed = await desk.contracts.sign(drafted.id, actor=person_of(enterprise))
    assert signed.voucher_fen == 1_000_001
    assert (await Budget.get(id=budget.id)).free_fen == 0


@pytest.mark.rules("GX-65")
async def test_exactly_the_money_left_is_enough(desk: Desk) -> None:
    await desk.budget(ALLOTTED, 20_000)
    enterprise, provider = await sides(desk)
    assert (await desk.signed(enterprise, provider, 40_000)).voucher_fen == 2_000_000


@pytest.mark.rules("GX-84")
async def test_what_a_failed_contract_froze_comes_back_with_its_money(desk: Desk) -> None:
    budget = await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    signed = await desk.signed(enterprise, provider, 40_000)
    kept = await desk.signed(enterprise, provider, 10_000)
    failed = await desk.contracts.fail(signed.id, reason="不能履约", actor=OPERATOR)
    assert (failed.status, failed.reason) == (ContractStatus.FAILED, "不能履约")
    assert await balances(enterprise) == {"available": 45_000, "held": 5_000, "committed": 5_000}
    assert (await Budget.get(id=budget.id)).committed_fen == kept.voucher_fen
    with pytest.raises(IllegalMove):
        await desk.contracts.fail(signed.id, reason="不能履约", actor=OPERATOR)
    assert await OutboxMessage.filter(topic="contract.failed").count() == 2


@pytest.mark.rules("GX-59")
async def test_what_comes_back_to_a_voucher_that_has_ended_ends_with_it(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    signed = await desk.signed(enterprise, provider, 40_000)
    voucher = await Voucher.get()
    desk.clock.at = voucher.valid_until
    rounds = Rounds(desk.programmes, desk.clocks, desk=None)  # type: ignore[arg-type]
    assert await Vouchers(rounds).expire_due(ALLOTTED) == 1
    before = await ledger.balances(enterprise_id=enterprise.id)
    assert (before[Account.EXPIRED], before[Account.HELD]) == (voucher.face_value_fen - 2_000_000, 2_000_000)
    await desk.contracts.fail(signed.id, reason="不能履约", actor=OPERATOR)
    sums = await ledger.balances(enterprise_id=enterprise.id)
    assert (sums[Account.EXPIRED], sums[Account.HELD], sums[Account.COMMITTED]) == (
        voucher.face_value_fen,
        0,
        0,
    )


@pytest.mark.rules("GX-59")
async def test_a_quota_of_last_year_pays_nothing(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    await desk.budget(ALLOTTED, year=2027)
    desk.clock.at = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    with pytest.raises(NothingToPay):
        await desk.signed(enterprise, provider, 40_000)
    await desk.settle(enterprise)
    assert (await desk.signed(enterprise, provider, 40_000)).voucher_fen == 2_000_000


@pytest.mark.parametrize("party", list(Party))
async def test_both_sides_must_be_in_standing_to_sign(desk: Desk, party: Party) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    drafted = await desk.entered(ALLOTTED, enterprise, provider, 40_000)
    await desk.contracts.sign(drafted.id, actor=person_of(provider))
    await Qualification.filter(party=party).update(status=QualificationStatus.REVOKED)
    with pytest.raises(NotInStanding) as refused:
        await desk.contracts.sign(drafted.id, actor=person_of(enterprise))
    assert [one.code for one in refused.value.unmet] == ["qualification_revoked"]
    await Qualification.filter(party=party).update(status=QualificationStatus.APPROVED)
    assert (await desk.contracts.sign(drafted.id, actor=person_of(enterprise))).voucher_fen


async def test_without_a_budget_nothing_can_be_signed(desk: Desk) -> None:
    enterprise, provider = await sides(desk)
    with pytest.raises(YearNotOpen):
        await desk.signed(enterprise, provider, 40_000)


async def test_a_draft_is_withdrawn_by_either_side_and_a_signed_contract_is_not(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    for side in (enterprise, provider):
        drafted = await desk.entered(ALLOTTED, enterprise, provider, 40_000)
        gone = await desk.contracts.withdraw(drafted.id, actor=person_of(side))
        assert gone.status is ContractStatus.WITHDRAWN
        with pytest.raises(IllegalMove):
            await desk.contracts.sign(drafted.id, actor=person_of(side))
    signed = await desk.signed(enterprise, provider, 10_000)
    with pytest.raises(IllegalMove):
        await desk.contracts.withdraw(signed.id, actor=person_of(enterprise))


async def test_every_step_of_a_contract_is_in_the_journal(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    signed = await desk.signed(enterprise, provider, 10_000)
    await desk.contracts.fail(signed.id, reason="不能履约", actor=OPERATOR)
    deeds = await JournalEntry.filter(subject=f"contract:{signed.id}").order_by("id")
    assert [one.action for one in deeds] == [
        "contract.entered",
        "contract.signed",
        "contract.signed",
        "contract.failed",
    ]


async def test_the_books_notice_a_hold_that_is_none_and_money_that_no_contract_took(desk: Desk) -> None:
    budget = await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    signed = await desk.signed(enterprise, provider, 10_000)
    hold = await VoucherHold.get(contract_id=signed.id)
    await VoucherHold.filter(id=hold.id).update(amount_fen=600_000)
    assert await ledger.verify() == [
        f"contract {signed.id}: holds 6,000.00, not 5,000.00",
        f"voucher {hold.voucher_id}: contracts hold 6,000.00, the ledger 5,000.00",
    ]
    await VoucherHold.filter(id=hold.id).update(amount_fen=500_000)
    await Contract.filter(id=signed.id).update(status=ContractStatus.FAILED)
    assert await ledger.verify() == [
        f"budget {budget.id}: committed 5,000.00, its contracts 0.00",
        f"contract {signed.id}: holds 5,000.00, not 0.00",
    ]
    await Contract.filter(id=signed.id).update(status=ContractStatus.SIGNED)


# -- kinds of voucher, and the notice of the year ----------------------------------------------------


@pytest.mark.rules("GX-10", "GX-15")
async def test_a_contract_on_the_special_voucher_stands_on_the_notices_terms(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk, ALLOTTED, "regional_digital_workshop")
    special = {"kind": "special", "category": "digital_transformation_services"}
    signed = await desk.signed(enterprise, provider, 100_000, **special)
    assert (signed.voucher_fen, signed.clause, signed.notice_year) == (6_000_000, "通知第六条", 2026)
    # It is for one category only this year, and the general voucher is not touched by it.
    with pytest.raises(ContractUnusable) as refused:
        await desk.signed(enterprise, provider, 10_000, kind="special", category="innovation_services")
    assert refused.value.unmet[0].code == "unknown_category"
    vouchers = {one.kind: one.id for one in await Voucher.filter(enterprise_id=enterprise.id)}
    assert [one.voucher_id for one in await VoucherHold.all()] == [vouchers["special"]]


@pytest.mark.rules("GX-15")
async def test_the_notices_own_money_limits_its_kind(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    special = {"kind": "special", "category": "digital_transformation_services"}
    for amount_yuan, voucher_yuan in ((200_000, 120_000), (200_000, 120_000)):
        enterprise, provider = await sides(desk, ALLOTTED, "regional_digital_workshop")
        signed = await desk.signed(enterprise, provider, amount_yuan, **special)
        assert signed.voucher_fen == voucher_yuan * 100
    enterprise, provider = await sides(desk, ALLOTTED, "regional_digital_workshop")
    with pytest.raises(ContractsPaused) as refused:
        await desk.signed(enterprise, provider, 200_000, **special)
    assert refused.value.clause == "通知第三条"
    assert refused.value.arithmetic == "本券种年度资金 250,000.00 − 已用 240,000.00 = 10,000.00 < 120,000.00"
    # The general voucher has the rest of the year.
    assert (await desk.signed(enterprise, provider, 20_000)).voucher_fen == 1_000_000


@pytest.mark.rules("GX-15")
async def test_without_a_notice_there_is_no_special_voucher_and_the_refusal_says_why(
    quiet_desk: Desk,
) -> None:
    await quiet_desk.budget(ALLOTTED)
    enterprise, provider = await sides(quiet_desk, ALLOTTED, "regional_digital_workshop")
    special = {"kind": "special", "category": "digital_transformation_services"}
    with pytest.raises(KindNotAnnounced) as refused:
        await quiet_desk.entered(ALLOTTED, enterprise, provider, 100_000, **special)
    assert refused.value.clause == "第六条（二）"
    assert refused.value.values == {"kind": "专项券", "year": 2026}
    assert await quiet_desk.entered(ALLOTTED, enterprise, provider, 100_000)
    for kind in ("", "gold"):
        with pytest.raises(KindUnknown):
            await quiet_desk.entered(ALLOTTED, enterprise, provider, 100_000, kind=kind)


@pytest.mark.rules("GX-15")
async def test_a_special_contract_is_signed_within_the_notices_window(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk, ALLOTTED, "regional_digital_workshop")
    special = {"kind": "special", "category": "digital_transformation_services"}
    drafted = await desk.entered(ALLOTTED, enterprise, provider, 50_000, **special)
    await desk.contracts.sign(drafted.id, actor=person_of(provider))
    desk.clock.at = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)
    with pytest.raises(KindNotNow) as refused:
        await desk.contracts.sign(drafted.id, actor=person_of(enterprise))
    assert refused.value.arithmetic == "2026-11-01: 2026-04-01 – 2026-10-31"
    desk.clock.at -= timedelta(microseconds=1)
    assert (await desk.contracts.sign(drafted.id, actor=person_of(enterprise))).voucher_fen == 3_000_000


@pytest.mark.rules("GX-34")
async def test_a_contract_keeps_the_terms_it_was_signed_under_when_the_notice_changes_them(
    quiet_desk: Desk, desk: Desk
) -> None:
    await quiet_desk.budget(ALLOTTED)
    enterprise, provider = await sides(quiet_desk)
    diagnosis = {"category": "diagnosis_services"}
    before = await quiet_desk.signed(enterprise, provider, 10_000, **diagnosis)
    after = await desk.signed(enterprise, provider, 10_000, **diagnosis)
    # 80 % by the regulation; 70 % from the day the notice sets it so.
    assert (before.voucher_fen, before.notice_year, before.clause) == (800_000, None, "第十一条")
    assert (after.voucher_fen, after.notice_year, after.clause) == (700_000, 2026, "通知第七条")
    kept = await Contract.get(id=before.id)
    assert (kept.voucher_fen, kept.notice_year) == (800_000, None)
    await desk.contracts.fail(before.id, reason="不能履约", actor=OPERATOR)
    assert (await balances(enterprise))["held"] == 7_000


@pytest.mark.rules("GX-34")
async def test_a_notice_holds_from_its_own_day(desk: Desk) -> None:
    await desk.budget(ALLOTTED)
    enterprise, provider = await sides(desk)
    desk.clock.at = datetime(2026, 3, 1, 15, 59, tzinfo=UTC)
    diagnosis = {"category": "diagnosis_services"}
    assert (await desk.signed(enterprise, provider, 10_000, **diagnosis)).voucher_fen == 800_000
    desk.clock.at = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
    assert (await desk.signed(enterprise, provider, 10_000, **diagnosis)).voucher_fen == 700_000


# -- looking ahead -----------------------------------------------------------------------------------


@pytest.mark.rules("GX-64")
async def test_what_is_left_is_seen_before_anybody_signs(desk: Desk) -> None:
    await desk.budget(ALLOTTED, 30_000)
    enterprise, provider = await sides(desk)
    ask = {"category": CATEGORY[ALLOTTED], "amount_fen": yuan_to_fen(40_000), "kind": "general"}
    before = await desk.outlooks.ahead(ALLOTTED, actor=person_of(enterprise), **ask)
    assert (before.paid.amount_fen, before.shares.deposit_fen) == (2_000_000, 800_000)
    assert before.year_left is not None
    assert before.year_left.amount_fen == 3_000_000
    await desk.signed(enterprise, provider, 40_000)
    after = await desk.outlooks.ahead(ALLOTTED, actor=person_of(enterprise), **ask)
    assert after.year_left is not None
    assert after.year_left.amount_fen == 1_000_000
    assert after.year_left.arithmetic == "年度预算 30,000.00 − 已用 20,000.00 = 10,000.00"
    with pytest.raises(ContractUnusable):
        await desk.outlooks.ahead(ALLOTTED, actor=person_of(enterprise), **{**ask, "category": "x"})


async def test_the_outlook_of_a_year_without_money_says_so(desk: Desk) -> None:
    enterprise, _ = await sides(desk, ON_CONTRACT)
    ahead = await desk.outlooks.ahead(
        ON_CONTRACT,
        category=CATEGORY[ON_CONTRACT],
        amount_fen=yuan_to_fen(6_000),
        kind="",
        actor=person_of(enterprise),
    )
    assert (ahead.paid.amount_fen, ahead.year_left, ahead.periods) == (300_000, None, ())
