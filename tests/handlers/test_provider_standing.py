"""A provider's standing after its admission: held, let go, removed, and never back where the text says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.keys import LISTINGS, PROGRAMMES, QUALIFICATIONS, SUSPENSIONS
from server.models.journal import JournalEntry
from server.models.organisations import BlocklistEntry, Organisation, Qualification
from server.models.outbox import OutboxMessage
from server.models.people import Person, Staff
from server.models.provider_standing import Removal, Suspension
from server.models.supervision import ServiceFileEntry
from server.rules.lifecycles import ProviderAct
from server.rules.supervision import EntryTone, ServiceEntryKind
from server.services.admissions.renewals import Renewals
from server.services.budgets import rooms
from server.services.organisations import service_files
from server.services.providers.provider_standing import able, provider_missing
from server.units import yuan_to_fen
from tests.factories import make_budget
from tests.ordering import make_order, organisation_of
from tests.stall import a_provider, listed
from tests.town import DAY, PROGRAMME, Answered, Caller, Town

IN_PRINCIPLE, CAPPED = "guangxi-2024", "guangzhou-2020"
PROVIDER = {"legal_form": "legal_person"}
REASON = {"ground": "violation", "reason": "涉嫌虚假交易，先行停用"}


async def admitted(town: Town) -> tuple[Caller, Answered]:
    """A provider whose approval holds for two years."""
    handler = await town.handler(**PROVIDER)
    applied = await town.applied(handler, party="provider")
    for role in ("operator", "authority"):
        decided = await town.decide(await town.staff(role), applied)
        assert decided.status == 200, decided.body
    return handler, applied


async def may(town: Town) -> set[str]:
    """What the one provider of the town may do now; the answer for many at once is the same."""
    organisation, programme = await Organisation.get(), town.app[PROGRAMMES].get(PROGRAMME)
    one = {
        act for act in ProviderAct if not await provider_missing(programme, organisation, act, now=town.now)
    }
    many = {act for act in ProviderAct if await able(programme, [organisation.id], act, now=town.now)}
    assert one == many
    return {act.value for act in one}


def path(applied: Answered) -> str:
    return f"qualifications/{applied.body['id']}"


@pytest.mark.rules("LS-39")
async def test_an_admitted_provider_is_told_and_may_publish_and_take_orders_at_once(town: Town) -> None:
    handler = await town.handler(**PROVIDER)
    applied = await town.applied(handler, party="provider")
    before = await may(town)
    for role in ("operator", "authority"):
        await town.decide(await town.staff(role), applied)
    assert (before, await may(town)) == ({"finish_orders", "settle"}, set(ProviderAct))
    assert await OutboxMessage.filter(topic="qualification.approved").count() == 1


@pytest.mark.rules("LS-41")
async def test_the_operator_holds_a_provider_at_once_where_the_text_lets_it_and_lets_it_go(
    town: Town,
) -> None:
    handler, applied = await admitted(town)
    operator = await town.operator()
    held = await operator.post(f"{path(applied)}/suspension", **REASON)
    assert (held.status, held.body["clause"]) == (201, "三（四）1")
    assert await may(town) == {"finish_orders"}
    twice = await operator.post(f"{path(applied)}/suspension", **REASON)
    lifted = await operator.post(f"{path(applied)}/suspension/lifting", reason="已整改")
    again = await operator.post(f"{path(applied)}/suspension/lifting", reason="已整改")
    assert (twice.status, twice.code) == (409, "illegal_move")
    assert (lifted.status, lifted.body["lift_reason"]) == (200, "已整改")
    assert (again.status, again.code) == (409, "suspension_over")
    assert await may(town) == set(ProviderAct)
    told = await OutboxMessage.filter(topic__startswith="provider.").values_list("topic", flat=True)
    assert sorted(told) == [
        "provider.suspended",
        "provider.suspension_lifted",
        "provider.suspension_reported",
    ]
    mine = await handler.get(f"{path(applied)}/suspensions")
    assert [one["reason"] for one in mine.body["suspensions"]] == [REASON["reason"]]
    filed = await ServiceFileEntry.all().order_by("id")
    assert [(one.kind, one.tone, service_files.says(one)) for one in filed] == [
        (ServiceEntryKind.ADMISSION, EntryTone.PLAIN, "取得或续展服务资格"),
        (ServiceEntryKind.SANCTION, EntryTone.PLAIN, f"先行暂停：{REASON['reason']}"),
        (ServiceEntryKind.SANCTION, EntryTone.PLAIN, "先行暂停已解除：已整改"),
    ]


async def test_a_suspension_for_a_time_ends_by_itself_and_one_without_does_not(town: Town) -> None:
    _, applied = await admitted(town)
    operator = await town.operator()
    until = town.now + 3 * DAY
    past = await operator.post(f"{path(applied)}/suspension", **REASON, until=town.now.isoformat())
    held = await operator.post(f"{path(applied)}/suspension", **REASON, until=until.isoformat())
    assert (past.status, past.code, held.status) == (422, "suspension_past", 201)
    suspensions = town.app[SUSPENSIONS]
    town.clock.at = until - timedelta(seconds=1)
    assert await suspensions.end_due() == 0
    town.clock.at = until
    assert (await suspensions.end_due(), await suspensions.end_due()) == (1, 0)
    assert await may(town) == set(ProviderAct)
    row = await Suspension.get()
    assert (row.lifted_at, row.lifted_by, row.lift_reason) == (until, None, "暂停期满")
    operator = await town.operator()
    await operator.post(f"{path(applied)}/suspension", **REASON)
    town.clock.advance(900 * DAY)
    assert await suspensions.end_due() == 0


async def test_nobody_holds_a_provider_on_a_ground_that_is_theirs_to_judge(town: Town) -> None:
    _, applied = await admitted(town)
    unknown = await (await town.operator()).post(f"{path(applied)}/suspension", ground="ugly", reason="不好")
    division = await (await town.staff("division")).post(f"{path(applied)}/suspension", **REASON)
    affiliated = await town.operator()
    await Staff.filter(id=affiliated.id).update(affiliations=[(await Organisation.get()).uscc])
    own = await affiliated.post(f"{path(applied)}/suspension", **REASON)
    assert (unknown.status, unknown.code) == (422, "ground_unknown")
    assert "violation" in unknown.body["detail"]
    assert (division.status, division.code) == (403, "not_yours_to_hold")
    assert (own.status, own.code) == (403, "own_review")
    assert await may(town) == set(ProviderAct)


@pytest.mark.rules("LS-40")
async def test_no_form_lifts_a_suspension_and_a_renewal_only_prolongs_what_is_held(town: Town) -> None:
    handler, applied = await admitted(town)
    end = town.now + 30 * DAY
    await Qualification.all().update(valid_until=end)
    held = await (await town.operator()).post(f"{path(applied)}/suspension", **REASON)
    assert held.status == 201, held.body
    form = (await handler.get(f"registrations/{applied.body['registration_id']}")).body
    renewal = await handler.post(f"registrations/{form['id']}/submissions", version=form["version"])
    assert renewal.status == 201, renewal.body
    for role in ("operator", "authority"):
        decided = await town.decide(await town.staff(role), renewal)
        assert decided.status == 200, decided.body
    row = await Qualification.get()
    assert row.status == "suspended"
    assert row.valid_until is not None
    assert row.valid_until > end
    assert await may(town) == {"finish_orders"}


async def test_let_go_a_provider_stands_as_it_would_stand_without(town: Town) -> None:
    handler, applied = await admitted(town)
    operator = await town.operator()
    await operator.post(f"{path(applied)}/suspension", **REASON)
    town.clock.advance(timedelta(minutes=1))
    await handler.patch("organisations/mine", headcount=43)
    assert (await Qualification.get()).status == "suspended"
    await operator.post(f"{path(applied)}/suspension/lifting", reason="已整改")
    assert (await Qualification.get()).status == "pending"
    await Qualification.all().update(status="approved", valid_until=town.now + DAY)
    await operator.post(f"{path(applied)}/suspension", **REASON)
    town.clock.advance(2 * DAY)
    operator = await town.signed_in(await Staff.get(id=operator.id))
    await operator.post(f"{path(applied)}/suspension/lifting", reason="已整改")
    assert (await Qualification.get()).status == "expired"


@pytest.mark.rules("LS-43")
async def test_a_removal_goes_from_the_operator_to_the_bureau_and_is_announced(town: Town) -> None:
    handler, applied = await admitted(town)
    operator, authority = await town.operator(), await town.staff("authority")
    await operator.post(f"{path(applied)}/suspension", **REASON)
    proposed = await operator.post(f"{path(applied)}/removal", **REASON)
    assert (proposed.status, proposed.body["status"]) == (201, "proposed")
    twice = await operator.post(f"{path(applied)}/removal", **REASON)
    assert (twice.status, twice.code) == (409, "removal_under_way")
    review = f"reviews/{proposed.body['review_id']}"
    public = f"provider-removals?programme={PROGRAMME}"
    seen = (await authority.get(review)).body
    returned = await authority.post(
        f"{review}/decision", decision="return", version=seen["version"], reason="证据不足"
    )
    assert (returned.status, returned.code) == (409, "removal_not_returnable")
    determined = await authority.post(
        f"{review}/decision", decision="approve", version=seen["version"], reason="情况属实"
    )
    assert determined.status == 200, determined.body
    # The bureau has decided; until it is announced the provider is held, not removed.
    assert (await Qualification.get()).status == "suspended"
    other = await town.staff("authority")
    announced = await other.post(
        f"{review}/decision", decision="approve", version=determined.body["version"], reason="已公告"
    )
    assert announced.status == 200, announced.body
    assert (await Qualification.get()).status == "delisted"
    assert (await Suspension.get()).lifted_at is not None
    (shown,) = (await town.anybody.get(public)).body["removals"]
    assert (shown["clause"], shown["ground"]) == ("三（四）1", "服务券使用出现违规")
    assert await may(town) == {"finish_orders"}
    assert (await BlocklistEntry.get()).ends_at is None
    # Never back, until the bureau lifts the ban.
    form = (await handler.get(f"registrations/{applied.body['registration_id']}")).body
    again = f"registrations/{form['id']}/submissions"
    refused = await handler.post(again, version=form["version"])
    assert (refused.status, refused.code) == (409, "not_readmitted")
    entry = await BlocklistEntry.get()
    asked = await operator.post(f"blocklist/{entry.id}/lifting", reason="复议后更正")
    assert asked.body["lifted_at"] is None
    twice = await operator.post(f"blocklist/{entry.id}/lifting", reason="复议后更正")
    alone = await (await town.operator()).post(f"blocklist/{entry.id}/lifting", reason="复议后更正")
    assert (twice.code, alone.status) == ("own_review", 403)
    lifted = await other.post(f"blocklist/{entry.id}/lifting", reason="复议后更正")
    assert lifted.body["lifted_at"] is not None
    back = await handler.post(again, version=form["version"])
    assert (back.status, back.body["status"]) == (201, "pending")


async def test_a_removal_that_is_turned_down_leaves_the_provider_where_it_stood(town: Town) -> None:
    _, applied = await admitted(town)
    proposed = await (await town.operator()).post(f"{path(applied)}/removal", **REASON)
    refused = await town.decide(
        await town.staff("authority"),
        Answered(200, {"case_id": proposed.body["review_id"]}, {}),
        "reject",
        reason="证据不足",
    )
    assert refused.status == 200, refused.body
    assert (await Removal.get()).status == "dismissed"
    assert await may(town) == set(ProviderAct)
    assert (await town.anybody.get(f"provider-removals?programme={PROGRAMME}")).body["removals"] == []


@pytest.mark.rules("GX-43")
async def test_what_ran_out_takes_no_order_and_finishes_what_was_signed(town: Town) -> None:
    await admitted(town)
    end = town.now + DAY
    await Qualification.all().update(valid_until=end)
    town.clock.at = end - timedelta(seconds=1)
    assert await may(town) == set(ProviderAct)
    town.clock.at = end
    # The clock decides, not the job that tells of it.
    assert await may(town) == {"finish_orders", "settle"}
    await Renewals(town.app[QUALIFICATIONS]).expire_due()
    assert (await Qualification.get()).status == "expired"
    assert await may(town) == {"finish_orders", "settle"}


async def test_everybody_reads_what_each_standing_allows_and_who_may_end_one(town: Town) -> None:
    shown = (await town.anybody.get(f"provider-capabilities?programme={PROGRAMME}")).body
    may_do = {line["standing"]: set(line["may"]) for line in shown["standings"]}
    assert may_do["approved"] == set(ProviderAct)
    assert may_do["suspended"] == may_do["delisted"] == may_do["barred"] == {"finish_orders"}
    assert may_do["expired"] == {"finish_orders", "settle"}
    grounds = {ground["code"]: ground for ground in shown["grounds"]}
    assert grounds["late_change"]["clause"] == "三（二）2"
    assert set(grounds["violation"]["held_by"]) == {"operator", "authority"}
    assert grounds["violation"]["decided_by"] == "authority"
    unknown = await town.anybody.get("provider-capabilities?programme=none")
    assert (unknown.status, unknown.code) == (404, "unknown_programme")


async def test_an_enterprise_is_no_provider_to_hold_or_remove(town: Town) -> None:
    operator = await town.operator()
    await town.qualified(operator)
    row = await Qualification.get()
    for what in ("suspension", "removal"):
        refused = await operator.post(f"qualifications/{row.id}/{what}", **REASON)
        assert (refused.status, refused.code) == (404, "not_found")
    assert await Person.all().count()


async def test_a_provider_of_another_programme_or_area_does_not_exist(town: Town) -> None:
    _, applied = await admitted(town)
    elsewhere = (
        await town.staff("operator", programmes=["guangxi-2024"]),
        await town.staff("operator", areas=["浙江省/丽水市/市直"]),
    )
    grade = {"year": 2026, "grade": "优秀", "place": 1, "reason": "履约及时"}
    asked = {
        "suspension": REASON,
        "suspension/lifting": {"reason": "已整改"},
        "removal": REASON,
        "grades": grade,
    }
    for what, body in asked.items():
        for stranger in elsewhere:
            refused = await stranger.post(f"{path(applied)}/{what}", **body)
            assert (refused.status, refused.code) == (404, "not_found"), what
        reached = await (await town.operator()).post(f"{path(applied)}/{what}", **body)
        assert reached.status != 404, what


async def test_what_a_provider_offers_vanishes_with_its_standing_and_its_customers_are_told(
    town: Town,
) -> None:
    provider = await a_provider(town, name="远山咨询有限公司")
    offering_id = await listed(town, provider)
    row = await Qualification.get(party="provider").select_related("organisation")
    enterprise = await organisation_of(await town.handler(name="晨光精密机械有限公司"))
    programme = town.programmes.get(PROGRAMME)
    order = await make_order(programme, enterprise, row.organisation, at=town.now)

    async def seen() -> tuple[int, int]:
        found = await town.anybody.get(f"marketplace/offerings/{offering_id}")
        every = await town.anybody.get("marketplace/offerings")
        return found.status, len(every.body["offerings"])

    operator = await town.operator()
    assert await seen() == (200, 1)
    await operator.post(f"qualifications/{row.id}/suspension", **REASON)
    assert await seen() == (404, 0)
    await operator.post(f"qualifications/{row.id}/suspension/lifting", reason="已整改")
    told = await OutboxMessage.filter(topic="order.provider_suspended")
    assert [(one.recipient, one.data["number"]) for one in told] == [
        (f"organisation:{enterprise.id}", order.number)
    ]
    await Qualification.filter(id=row.id).update(status="approved")
    await town.app[LISTINGS].settle(row.organisation, PROGRAMME)
    assert await seen() == (200, 1)
    await operator.post(
        "blocklist",
        list_name="失信惩戒名单",
        uscc=row.organisation.uscc,
        programme=PROGRAMME,
        clause="五（二）",
        reason="虚假交易",
    )
    assert await seen() == (404, 0)


@pytest.mark.rules("LS-43")
async def test_the_operator_alone_does_not_withdraw_what_the_bureau_has_to_review(town: Town) -> None:
    _, applied = await admitted(town)
    refused = await (await town.operator()).post(f"{path(applied)}/revocation", reason="经营异常")
    assert (refused.status, refused.code) == (409, "removed_otherwise")
    assert refused.body["clause"] == "三（四）1"
    assert await may(town) == set(ProviderAct)


@pytest.mark.rules("GX-32")
async def test_the_authority_goes_beyond_a_ceiling_in_principle_with_a_reason_and_once(town: Town) -> None:
    programme = town.app[PROGRAMMES].get(IN_PRINCIPLE)
    handler = await a_provider(town, IN_PRINCIPLE)
    budget = await make_budget(programme)
    where = f"qualifications/{(await Qualification.get()).id}"
    asked = {"ceiling": "service_year", "most_fen": yuan_to_fen(6_000_000), "reason": "重点项目集中签约"}
    operator, authority = await town.operator(), await town.staff("authority")
    assert (await operator.post(f"{where}/ceiling-raises", **asked)).status == 403
    for pressed in range(2):
        made = await authority.post(f"{where}/ceiling-raises", **asked)
        assert (made.status, made.body["clause"]) == (201, "第十一条"), pressed
    seen = await handler.get(f"{where}/ceilings")
    assert seen.body["left_fen"] == yuan_to_fen(6_000_000)
    assert seen.body["arithmetic"] == (
        "服务机构收券上限（原则上 5,000,000.00，经批准） 6,000,000.00 − 已用 0.00 = 6,000,000.00"
    )
    assert [one["reason"] for one in seen.body["raises"]] == [asked["reason"]] * 2
    assert await OutboxMessage.filter(topic="provider.ceiling_raised").count() == 2
    written = await JournalEntry.filter(action="provider.ceiling_raised").first()
    assert written is not None
    assert (written.data["reason"], written.data["amount_fen"]) == (asked["reason"], asked["most_fen"])
    low = await authority.post(f"{where}/ceiling-raises", **{**asked, "most_fen": yuan_to_fen(5_000_000)})
    other = await authority.post(f"{where}/ceiling-raises", **{**asked, "ceiling": "another"})
    assert [(one.status, one.code) for one in (low, other)] == [
        (422, "ceiling_not_raised"),
        (409, "ceiling_holds"),
    ]
    assert (await rooms.ceiling_fen(programme.provider_ceilings[0], budget)) == yuan_to_fen(5_000_000)


async def test_a_ceiling_without_exception_is_nobodys_to_raise(town: Town) -> None:
    await a_provider(town, CAPPED)
    where = f"qualifications/{(await Qualification.get()).id}/ceiling-raises"
    code = town.app[PROGRAMMES].get(CAPPED).provider_ceilings[0].code
    told = await (await town.staff("authority")).post(
        where, ceiling=code, most_fen=yuan_to_fen(9_000_000), reason="重点项目"
    )
    assert (told.status, told.code) == (409, "ceiling_holds")
