"""Voiding a voucher over HTTP: two who agree where the text wants two, else one who decides."""

from __future__ import annotations

import pytest

from server.models.journal import JournalEntry
from server.models.reviews import ReviewCase
from server.models.vouchers import Voucher
from server.rules.lifecycles import VoucherStatus
from server.services.budgets import ledger
from tests.contracting import DRAWN
from tests.dealing import mine, money, opened, refused, sides, step
from tests.town import PROGRAMME, Caller, Town

GROUND = {"clause": "第十五条（一）", "reason": "服务未实际开展"}
CANCELLED = {"clause": "", "reason": "重大变化逾期未报"}


async def drawn(town: Town) -> int:
    """A voucher that a provider drew; its id."""
    await money(town, DRAWN)
    enterprise, provider = await sides(town, DRAWN)
    order_id = await opened(town, DRAWN, enterprise, provider, 100_000)
    drew = await step(town, provider, order_id, "upload_contract")
    assert drew.status == 200, drew.body
    return int((await Voucher.get()).id)


async def decided(
    judge: Caller, review_id: int, verb: str, reason: str = "属实", **extras: object
) -> tuple[int, str]:
    version = (await ReviewCase.get(id=review_id)).version
    fields = {"reason": "请补充"} if verb == "return" else {}
    told = await judge.post(
        f"reviews/{review_id}/decision",
        decision=verb,
        version=version,
        reason=reason,
        fields=fields,
        extras=extras,
    )
    return told.status, "" if told.status == 200 else told.code


async def status_of(voucher_id: int) -> VoucherStatus:
    return (await Voucher.get(id=voucher_id)).status


@pytest.mark.rules("YC-31", "YC-32")
async def test_the_operator_reports_and_the_authority_determines(town: Town) -> None:
    voucher_id = await drawn(town)
    operator, authority = await town.staff("operator"), await town.staff("authority")
    path = f"vouchers/{voucher_id}/voiding"
    refused(await authority.post(path, **GROUND), 403, "not_your_review")
    refused(await operator.post(path, **{**GROUND, "clause": "第九十九条"}), 422, "voiding_clause_unknown")
    refused(await operator.post(path, **{**GROUND, "reason": " "}), 422, "reason_missing")
    assert not await ReviewCase.exists(subject="voiding")

    reported = await operator.post(path, **GROUND)
    assert (reported.status, reported.body["status"]) == (200, "active"), reported.body
    refused(await operator.post(path, **GROUND), 409, "review_under_way")
    review_id = reported.body["review_id"]
    assert await decided(operator, review_id, "approve") == (403, "not_your_review")
    assert await decided(authority, review_id, "return") == (409, "voiding_not_returnable")
    assert await status_of(voucher_id) is VoucherStatus.ACTIVE

    # Whoever determines adds nothing to what was reported: neither another clause nor a number for a reason.
    others = {"voiding_clause": "第九十九条", "voiding_reason": 5}
    assert await decided(authority, review_id, "approve", **others) == (200, "")
    assert await status_of(voucher_id) is VoucherStatus.VOIDED
    done = await JournalEntry.filter(subject=f"voucher:{voucher_id}", action="voucher.voiding").get()
    assert (done.data["clause"], done.data["reason"]) == (GROUND["clause"], GROUND["reason"])
    refused(await operator.post(path, **GROUND), 409, "illegal_move")
    assert await ledger.verify() == []


@pytest.mark.rules("YC-31")
async def test_what_the_authority_does_not_determine_stays_and_may_be_reported_again(town: Town) -> None:
    voucher_id = await drawn(town)
    operator, authority = await town.staff("operator"), await town.staff("authority")
    for verb, becomes in (("reject", VoucherStatus.ACTIVE), ("approve", VoucherStatus.VOIDED)):
        reported = await operator.post(f"vouchers/{voucher_id}/voiding", **GROUND)
        assert await decided(authority, reported.body["review_id"], verb) == (200, "")
        assert await status_of(voucher_id) is becomes


@pytest.mark.rules("YC-31")
async def test_nobody_reports_and_determines(town: Town) -> None:
    voucher_id = await drawn(town)
    both = await town.staff("operator", "authority")
    reported = await both.post(f"vouchers/{voucher_id}/voiding", **GROUND)
    assert await decided(both, reported.body["review_id"], "approve") == (409, "decided_before")
    assert await status_of(voucher_id) is VoucherStatus.ACTIVE


async def granted(town: Town) -> tuple[int, str]:
    """A voucher that was grabbed, where the text wants no second to agree; its id, and its clause."""
    operator = await town.operator()
    holder = await town.qualified(operator)
    round_id = await town.open_round(operator, pool_yuan=20_000)
    decided = await town.grant(round_id, holder, (await mine(holder))["id"])
    assert decided.voucher is not None
    (sanction,) = [one for one in town.programmes.get(PROGRAMME).sanctions if "void_vouchers" in one.measures]
    return decided.voucher.id, sanction.grounds[0].article or sanction.article


async def test_elsewhere_a_voiding_is_a_sanction_that_another_decides(town: Town) -> None:
    voucher_id, clause = await granted(town)
    path = f"vouchers/{voucher_id}/voiding"
    elsewhere = await town.staff("operator", programmes=("guangxi-2024",))
    refused(await elsewhere.post(path, **{**CANCELLED, "clause": clause}), 404, "not_found")
    alone = await town.staff("operator")
    refused(await alone.post(path, **{**CANCELLED, "clause": clause}), 409, "decided_by_sanction")
    assert await status_of(voucher_id) is VoucherStatus.ACTIVE


@pytest.mark.parametrize("role", ["handler", "expert", "auditor", "administrator", "district"])
async def test_nobody_else_voids(town: Town, role: str) -> None:
    voucher_id, clause = await granted(town)
    somebody = await (town.handler() if role == "handler" else town.staff(role))
    told = await somebody.post(f"vouchers/{voucher_id}/voiding", **{**CANCELLED, "clause": clause})
    assert told.status == 403
    assert await status_of(voucher_id) is VoucherStatus.ACTIVE
