"""Providers before the public: who serves, how each performs at this instant, and how each is graded."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from server.keys import PUBLIC_NOTICES, REVIEWS
from server.models.labels import AttestedLabel, LabelSource
from server.models.offerings import Offering, OfferingVersion
from server.models.orders import Order
from server.models.organisations import BlocklistEntry, Organisation, Qualification
from server.models.outbox import OutboxMessage
from server.models.provider_standing import ProviderGrade
from server.models.ratings import Rating
from server.models.reviews import ReviewDecision
from server.programme.review import ReviewSubject
from server.programme.vocabulary import Party
from server.rules.lifecycles import QualificationStatus
from server.rules.offerings import OfferingStatus
from server.rules.orders import OrderStatus
from server.services.access import CLOCK
from tests.factories import make_enterprise
from tests.town import DAY, PROGRAMME, Answered, Town

GRADED, OWN_WORD, CITY, DRAFT = "ningxia-2016", "guangxi-2024", "guangzhou-2020", "yinchuan-2024"
_numbers = count(1)


async def provider(
    town: Town, slug: str = PROGRAMME, *, name: str = "", status: str = "approved", **facts: Any
) -> Qualification:
    """A provider with a standing in a programme."""
    made = await make_enterprise(**({"name": name} if name else {}), **facts)
    return await Qualification.create(
        organisation=made,
        party=Party.PROVIDER,
        programme_slug=slug,
        programme_version=town.programmes.get(slug).version,
        status=QualificationStatus(status),
        applied_at=town.now,
        decided_at=town.now,
        snapshot={},
    )


async def offers(town: Town, row: Qualification, category: str, *, listed: bool = True) -> int:
    """Something that a provider offers; the id."""
    offering = await Offering.create(
        programme_slug=row.programme_slug,
        provider_id=row.organisation_id,
        status=OfferingStatus.LISTED if listed else OfferingStatus.WITHDRAWN,
        created_at=town.now,
        saved_at=town.now,
        saved_by=1,
    )
    version = await OfferingVersion.create(
        offering_id=offering.id,
        number=1,
        programme_version="1",
        category=category,
        service="诊断",
        name="精益诊断",
        submitted_at=town.now,
        submitted_by=1,
        listed_at=town.now,
    )
    await Offering.filter(id=offering.id).update(current_version_id=version.id)
    return offering.id


async def ordered(
    town: Town, row: Qualification, status: OrderStatus, *, days: int = 0, level: str = "", **others: Any
) -> Order:
    """An order with a provider that took so many days; rated where there is a level."""
    enterprise = await make_enterprise()
    made = await Order.create(
        number=f"P{next(_numbers)}",
        programme_slug=row.programme_slug,
        programme_version="1",
        enterprise_id=enterprise.id,
        provider_id=row.organisation_id,
        category="any",
        project="诊断",
        price_fen=100_000,
        status=status,
        step_since=town.now,
        opened_by=Party.ENTERPRISE,
        placed_at=town.now - timedelta(days=days, hours=1),
        ended_at=town.now if status is OrderStatus.DONE else None,
        **others,
    )
    if level:
        scale = town.programmes.get(row.programme_slug).rating.scale
        await Rating.create(
            order_id=made.id,
            programme_slug=row.programme_slug,
            programme_version="1",
            enterprise_id=enterprise.id,
            provider_id=row.organisation_id,
            level=level,
            score_bp=10_000 if level == scale[0] else 0,
            is_low=level == scale[-1],
            words="很好",
            rated_by="person:1",
            rated_at=town.now,
            editable_until=town.now,
        )
    return made


async def listed(town: Town, query: str = "", slug: str = PROGRAMME) -> list[str]:
    shown = await town.anybody.get(f"providers?programme={slug}{query}")
    assert shown.status == 200, shown.body
    return [one["name"] for one in shown.body["providers"]]


@pytest.mark.rules("LS-39", "LS-40", "GX-43")
async def test_the_list_shows_whoever_can_be_ordered_from_and_nobody_else(town: Town) -> None:
    first = await provider(town, name="甲咨询有限公司")
    await provider(town, name="乙咨询有限公司", area="浙江省/杭州市")
    for status in set(QualificationStatus) - {QualificationStatus.APPROVED}:
        await provider(town, name=f"{status}公司", status=status)
    over = await provider(town, name="过期公司")
    await Qualification.filter(id=over.id).update(valid_until=town.now)
    await provider(town, OWN_WORD, name="外地公司")
    assert await listed(town) == ["甲咨询有限公司", "乙咨询有限公司"]
    assert await listed(town, "&words=乙") == ["乙咨询有限公司"]
    assert await listed(town, "&area=浙江省/杭州市") == ["乙咨询有限公司"]
    assert await listed(town, "&area=浙江省/杭") == []
    category = town.programmes.get(PROGRAMME).categories[2].code
    assert await listed(town, f"&category={category}") == []
    await offers(town, first, category)
    await offers(town, first, town.programmes.get(PROGRAMME).categories[0].code, listed=False)
    assert await listed(town, f"&category={category}") == ["甲咨询有限公司"]
    (shown,) = (await town.anybody.get(f"providers?programme={PROGRAMME}&words=甲")).body["providers"]
    assert [one["code"] for one in shown["categories"]] == [category]
    barred = await Organisation.get(id=first.organisation_id)
    await (await town.operator()).post(
        "blocklist",
        list_name="失信惩戒名单",
        uscc=barred.uscc,
        programme=PROGRAMME,
        clause="五（二）",
        reason="虚假交易",
    )
    (held,) = (await town.anybody.get(f"providers?programme={PROGRAMME}&words=甲")).body["providers"]
    assert held["takes_orders"] is False


async def test_the_list_is_read_page_by_page(town: Town) -> None:
    names = [f"第{number:02d}家" for number in range(25)]
    for name in names:
        await provider(town, name=name)
    first = (await town.anybody.get(f"providers?programme={PROGRAMME}")).body
    assert [one["name"] for one in first["providers"]] == names[:20]
    assert await listed(town, f"&after={first['next_after']}") == names[20:]


@pytest.mark.rules("GX-45")
async def test_performance_is_shown_as_it_stands_at_this_instant_and_names_nobody(town: Town) -> None:
    row = await provider(town, OWN_WORD)
    await offers(town, row, "any")
    path = f"providers/{row.organisation_id}?programme={OWN_WORD}"
    empty = (await town.anybody.get(path)).body["performance"]
    assert (empty["done"], empty["median_days"], empty["votes"]) == (0, None, 0)
    best, middle, worst = town.programmes.get(OWN_WORD).rating.scale
    for days, level in ((10, best), (30, best), (90, worst)):
        await ordered(town, row, OrderStatus.DONE, days=days, level=level)
    for status in set(OrderStatus) - {OrderStatus.DONE}:
        await ordered(town, row, status)
    elsewhere = Qualification(programme_slug=PROGRAMME, organisation_id=row.organisation_id)
    await ordered(town, elsewhere, OrderStatus.DONE, days=1)
    answer = (await town.anybody.get(path)).body
    shown = answer["performance"]
    assert (shown["done"], shown["under_way"], shown["declined"], shown["cancelled"]) == (3, 4, 1, 2)
    assert (shown["median_days"], shown["votes"]) == (30, 3)
    assert [(one["level"], one["votes"]) for one in shown["levels"]] == [(best, 2), (middle, 0), (worst, 1)]
    assert (answer["orders_done"], answer["clause"]) == (3, "第十六条")
    assert "很好" not in str(answer)
    assert not any(name in str(answer) for name in await _enterprises(row))


async def _enterprises(row: Qualification) -> list[str]:
    rows = await Order.filter(provider_id=row.organisation_id).select_related("enterprise")
    return [one.enterprise.name for one in rows]


@pytest.mark.rules("GZ-24")
async def test_the_page_shows_titles_that_count_today_with_their_kinds(town: Town) -> None:
    town.clock.at = town.clock.at.replace(year=2020)
    row = await provider(town, CITY)
    organisation = await Organisation.get(id=row.organisation_id)
    for code, until in (("city_platform", None), ("national_platform", town.now.date() - DAY)):
        await AttestedLabel.create(
            uscc=organisation.uscc,
            code=code,
            kinds=["技术服务"],
            valid_until=until,
            source=LabelSource.LIST,
            list_name="名录",
            attested_by=1,
            attested_at=town.now,
        )
    shown = (await town.anybody.get(f"providers/{organisation.id}?programme={CITY}")).body
    assert shown["recognitions"] == [{"name": "广州市示范平台", "kinds": ["技术服务"], "valid_until": None}]


@pytest.mark.parametrize("status", list(QualificationStatus))
async def test_an_application_is_nobodys_business_and_a_lost_standing_is_everybodys(
    town: Town, status: QualificationStatus
) -> None:
    row = await provider(town, status=status)
    path = f"providers/{row.organisation_id}?programme={PROGRAMME}"
    private = status in (QualificationStatus.PENDING, QualificationStatus.REFUSED)
    seen = await town.anybody.get(path)
    assert seen.status == (404 if private else 200)
    # Sent back to review it has served already, and its customers look it up.
    await ordered(town, row, OrderStatus.OPEN)
    served = await town.anybody.get(path)
    assert (served.status, served.body["standing"]) == (200, status)
    assert served.body["takes_orders"] is (status is QualificationStatus.APPROVED)
    elsewhere = await town.anybody.get(f"providers/{row.organisation_id}?programme={OWN_WORD}")
    assert (elsewhere.status, elsewhere.code) == (404, "not_found")


# -- grades ----------------------------------------------------------------------------------------


GRADE = {"year": 2026, "grade": "优秀", "place": 1, "reason": "满意度高，履约及时"}


async def _renewal(town: Town, row: Qualification, organisation: Organisation) -> Any:
    async with in_transaction():
        return await town.app[REVIEWS].open(
            ReviewSubject.PROVIDER,
            row.id,
            programme=town.programmes.get(row.programme_slug),
            organisation=organisation,
            title="续期",
            actor=CLOCK,
            now=town.now,
        )


async def decide(town: Town, made: Answered, role: str, decision: str = "approve") -> Answered:
    case = Answered(200, {"case_id": made.body["review_id"]}, {})
    return await town.decide(await town.staff(role), case, decision, reason="情况属实")


@pytest.mark.rules("NX-30")
async def test_a_grade_is_proposed_by_the_operator_agreed_by_the_bureau_and_put_up_before_it_counts(
    town: Town,
) -> None:
    row = await provider(town, GRADED)
    await ordered(town, row, OrderStatus.DONE, days=3)
    path, page = f"qualifications/{row.id}/grades", f"providers/{row.organisation_id}?programme={GRADED}"
    operator = await town.operator()
    unknown = await operator.post(path, **{**GRADE, "grade": "五星"})
    old = await operator.post(path, **{**GRADE, "year": 2024})
    assert {(one.status, one.code) for one in (unknown, old)} == {(422, "grade_unusable")}
    assert unknown.body["values"]["grades"] == "优秀、良好、合格、不合格"
    made = await operator.post(path, **GRADE)
    assert (made.status, made.body["published_at"]) == (201, None)
    twice = await operator.post(path, **GRADE)
    assert (twice.status, twice.code) == (409, "grade_under_way")
    returned = await decide(town, made, "authority", "return")
    assert (returned.status, returned.code) == (409, "grade_not_returnable")
    agreed = await decide(town, made, "authority")
    assert (agreed.status, agreed.body["status"]) == (200, "on_notice")
    assert (await town.anybody.get(page)).body["grade"] is None
    town.clock.advance(20 * DAY)
    await town.app[PUBLIC_NOTICES].close_due()
    shown = (await town.anybody.get(page)).body["grade"]
    assert (shown["grade"], shown["place"], shown["year"]) == ("优秀", 1, 2026)
    assert (await ProviderGrade.get()).figures["done"] == 1
    steps = await ReviewDecision.all().order_by("id").values_list("kind", "role")
    assert [(kind, role) for kind, role in steps][:2] == [("pre_review", "operator"), ("review", "authority")]
    assert await OutboxMessage.filter(topic="provider.graded").count() == 1


@pytest.mark.rules("NX-30")
async def test_a_grade_that_is_turned_down_leaves_the_last_one_standing(town: Town) -> None:
    row = await provider(town, GRADED)
    operator = await town.operator()
    await ProviderGrade.create(
        qualification_id=row.id,
        programme_slug=GRADED,
        programme_version="1",
        year=2025,
        grade="良好",
        place=3,
        reason="-",
        figures={},
        proposed_by=1,
        proposed_at=town.now,
        decided_at=town.now,
        published_at=town.now,
    )
    made = await operator.post(f"qualifications/{row.id}/grades", **GRADE)
    refused = await decide(town, made, "authority", "reject")
    assert refused.status == 200, refused.body
    shown = (await town.anybody.get(f"providers/{row.organisation_id}?programme={GRADED}")).body["grade"]
    assert (shown["grade"], shown["year"]) == ("良好", 2025)
    again = await operator.post(f"qualifications/{row.id}/grades", **GRADE)
    assert again.status == 201


@pytest.mark.rules("GX-44")
async def test_where_no_chain_reviews_grades_the_departments_word_publishes_them(town: Town) -> None:
    row = await provider(town, OWN_WORD)
    path = f"qualifications/{row.id}/grades"
    refused = await (await town.operator()).post(path, **GRADE)
    assert (refused.status, refused.code) == (403, "not_your_review")
    unknown = await (await town.staff("authority")).post(path, **{**GRADE, "grade": "五星"})
    assert unknown.body["values"]["grades"] == "优秀、良好、合格、不合格"
    made = await (await town.staff("authority")).post(path, **GRADE)
    assert (made.status, made.body["review_id"]) == (201, None)
    assert made.body["published_at"] is not None
    # It feeds the next determination: whoever reviews the renewal has it before them.
    organisation = await Organisation.get(id=row.organisation_id)
    case, _ = await _renewal(town, row, organisation)
    seen = (await (await town.staff("division")).get(f"reviews/{case.id}")).body
    assert seen["facts"]["grade"] == {"year": 2026, "grade": "优秀", "place": 1}
    nowhere = await provider(town)
    none = await (await town.operator()).post(f"qualifications/{nowhere.id}/grades", **GRADE)
    assert (none.status, none.code) == (409, "grades_not_here")


# -- removal, where the texts differ ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "ground", "clause"),
    [
        (GRADED, "collusion", "第十一条（一）"),
        (CITY, "inflated_price", "承诺书4"),
        (DRAFT, "service_differs", "第十五条（二）"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_without_a_chain_a_removal_is_a_sanction_that_another_decides(
    town: Town, slug: str, ground: str, clause: str
) -> None:
    row = await provider(town, slug)
    body = {"ground": ground, "reason": "核查属实"}
    for role in ("operator", "authority"):
        told = await (await town.staff(role)).post(f"qualifications/{row.id}/removal", **body)
        assert (told.status, told.code, told.body["clause"]) == (409, "decided_by_sanction", clause)
    assert (await Qualification.get()).status == "approved"


@pytest.mark.rules("GX-46")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_false_papers_end_a_qualification_through_division_and_department_for_good(town: Town) -> None:
    row = await provider(town, OWN_WORD)
    body = {"ground": "false_qualification", "reason": "社保材料不实"}
    operator = await (await town.operator()).post(f"qualifications/{row.id}/suspension", **body)
    assert (operator.status, operator.code) == (403, "not_yours_to_hold")
    held = await (await town.staff("authority")).post(f"qualifications/{row.id}/suspension", **body)
    assert held.status == 201, held.body
    made = await (await town.operator()).post(f"qualifications/{row.id}/removal", **body)
    assert (made.status, made.body["status"], made.body["clause"]) == (201, "proposed", "第十六条")
    for role in ("division", "authority"):
        decided = await decide(town, made, role)
        assert decided.status == 200, decided.body
    assert (await Qualification.get()).status == "delisted"
    assert (await BlocklistEntry.get()).ends_at is None


@pytest.mark.rules("GZ-44")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_breach_is_stopped_at_once_by_whoever_finds_it_and_reported(town: Town) -> None:
    row = await provider(town, CITY)
    body = {"ground": "breach", "reason": "发现违反使用规定"}
    stopped = await (await town.operator()).post(f"qualifications/{row.id}/suspension", **body)
    assert (stopped.status, stopped.body["clause"]) == (201, "方案六（二）")
    told = await OutboxMessage.get(topic="provider.suspension_reported")
    assert (told.recipient, told.data["reason"]) == (f"role:authority:{CITY}", "发现违反使用规定")
    # It is no ground to remove anybody: that is for the undertaking's own grounds.
    removal = await (await town.staff("authority")).post(f"qualifications/{row.id}/removal", **body)
    assert (removal.status, removal.code) == (422, "ground_unknown")
