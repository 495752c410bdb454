"""Relations: what both sides declared and handed in is compared when they deal, and shown to nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.keys import PROGRAMMES, RELATED_PARTIES, SEALER
from server.models.journal import JournalEntry
from server.models.labels import AttestedLabel, LabelSource
from server.models.offerings import Offering, OfferingVersion
from server.models.offices import Office
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.people import Person
from server.models.relations import OrderFinding, TieDeclaration
from server.programme.vocabulary import Actor, Party
from server.rules.findings import FindingKind, Findings
from server.rules.orders import OrderStatus
from server.services.admissions import related_parties
from tests.town import DAY, PROGRAMME, Caller, Town, uscc

CITY, REGION = "guangzhou-2020", "yinchuan-2024"
LI, WANG = "360426199101010071", "330102198506150016"


async def sides(town: Town) -> tuple[Caller, Caller, Organisation, Organisation]:
    """An enterprise and a provider that share nothing: their handlers and themselves."""
    ours = await town.handler(name="晨光精密机械有限公司")
    theirs = await town.handler(name="远山咨询有限公司")
    enterprise, provider = await Organisation.all().order_by("id")
    return ours, theirs, enterprise, provider


async def asked(
    town: Town, enterprise: Organisation, provider: Organisation, slug: str = CITY, **others: Any
) -> Findings:
    programme = town.app[PROGRAMMES].get(slug)
    category = programme.categories[0]
    found: Findings = await town.app[RELATED_PARTIES].findings(
        programme,
        enterprise,
        provider,
        **{"category": category.code, "service": category.covers[0], "now": town.now, **others},
    )
    return found


def codes(found: Findings) -> tuple[list[str], list[str]]:
    return [one.code for one in found.forbidden], [one.code for one in found.warned]


@pytest.mark.rules("GZ-47")
async def test_a_declared_shareholder_on_the_other_side_leaves_no_order(town: Town) -> None:
    ours, theirs, enterprise, provider = await sides(town)
    enterprise.area = "广东省/广州市/天河区"
    assert codes(await asked(town, enterprise, provider)) == ([], [])
    share = {"kind": "organisation", "name": enterprise.name, "number": enterprise.uscc, "share_bp": 6000}
    declared = await theirs.put("organisations/mine/ties", representative="王芳", shareholders=[share])
    assert (declared.status, declared.body["number"]) == (200, 1)
    found = await asked(town, enterprise, provider)
    assert codes(found) == (["related_parties"], [])
    assert found.forbidden[0].arithmetic == "合同一方持有另一方的股权"
    # The last declaration counts; who declares falsely has said so under their name.
    await theirs.put("organisations/mine/ties", representative="王芳")
    assert codes(await asked(town, enterprise, provider)) == ([], [])
    assert await JournalEntry.filter(action="organisation.ties_declared").count() == 2
    assert ours.id


@pytest.mark.rules("GZ-47")
async def test_one_legal_representative_of_both_is_found_by_the_number_and_not_by_the_name(
    town: Town,
) -> None:
    ours, theirs, enterprise, provider = await sides(town)
    enterprise.area = "广东省/广州市/天河区"
    for caller, number in ((ours, LI), (theirs, WANG)):
        await caller.put("organisations/mine/ties", representative="李明", representative_id=number)
    assert codes(await asked(town, enterprise, provider)) == ([], [])
    await theirs.put("organisations/mine/ties", representative="李明")
    assert codes(await asked(town, enterprise, provider)) == ([], ["namesake"])
    await theirs.put("organisations/mine/ties", representative="李明", representative_id=LI)
    assert codes(await asked(town, enterprise, provider)) == (["related_parties"], [])


async def test_a_shared_telephone_is_found_in_forms_and_accounts_and_an_address_where_it_was_declared(
    town: Town,
) -> None:
    ours, theirs, enterprise, provider = await sides(town)
    enterprise.area = "广东省/广州市/天河区"
    applied = await town.applied(ours, **{"contact.phone": "13800000000"})
    assert applied.status == 201, applied.body
    sealer = town.app[SEALER]
    await Person.filter(id=theirs.id).update(phone_sealed=sealer.seal("138 0000 0000"))
    assert codes(await asked(town, enterprise, provider)) == ([], ["phone"])
    await Person.filter(id=theirs.id).update(phone_sealed="")
    for caller, written in ((ours, "丽水市 中山街8号"), (theirs, "丽水市中山街８号。")):
        await caller.put("organisations/mine/ties", representative="甲" + written[-1], address=written)
    assert codes(await asked(town, enterprise, provider)) == ([], ["address"])


async def test_who_acted_for_the_one_and_acts_for_the_other_is_looked_at(town: Town) -> None:
    ours, theirs, enterprise, provider = await sides(town)
    enterprise.area = "广东省/广州市/天河区"
    colleague = await town.joined(ours, "staff")
    mine = (await ours.get("memberships")).body["members"]
    place = next(one for one in mine if one["role"] == "staff")
    await ours.delete(f"memberships/{place['id']}")
    invited = await theirs.post("invitations", role="staff")
    colleague = await town.signed_in(await Person.get(id=colleague.id))
    joined = await colleague.post("memberships", code=invited.body["code"])
    assert joined.status == 201, joined.body
    assert codes(await asked(town, enterprise, provider)) == ([], ["member"])


@pytest.mark.rules("YC-29")
async def test_whoever_runs_the_programme_is_no_provider_in_it(town: Town) -> None:
    _, _, enterprise, provider = await sides(town)
    assert codes(await asked(town, enterprise, provider, REGION)) == ([], [])
    await Office.create(
        programme_slug=REGION, actor=Actor.OPERATOR, name="平台", uscc=provider.uscc, changed_at=town.now
    )
    assert codes(await asked(town, enterprise, provider, REGION)) == (["operator_as_provider"], [])
    assert codes(await asked(town, enterprise, enterprise, REGION)) == (["same"], [])


@pytest.mark.rules("GZ-23", "GZ-24")
async def test_a_list_says_where_and_in_what_a_platform_may_serve(town: Town) -> None:
    _, _, enterprise, provider = await sides(town)
    enterprise.area = "广东省/广州市/天河区"
    first, second = town.app[PROGRAMMES].get(CITY).categories[:2]
    await AttestedLabel.create(
        uscc=provider.uscc,
        code="city_platform",
        kinds=[first.name],
        source=LabelSource.LIST,
        list_name="名录",
        attested_by=1,
        attested_at=town.now,
    )
    assert codes(await asked(town, enterprise, provider)) == ([], [])
    other = {"category": second.code, "service": second.covers[0]}
    assert codes(await asked(town, enterprise, provider, **other)) == (["outside_recognition"], [])
    enterprise.area = "广东省/佛山市"
    assert codes(await asked(town, enterprise, provider)) == (["other_jurisdiction"], [])


async def product(provider: Organisation, slug: str, town: Town, name: str = "精益诊断") -> OfferingVersion:
    offering = await Offering.create(
        programme_slug=slug, provider_id=provider.id, created_at=town.now, saved_at=town.now, saved_by=1
    )
    return await OfferingVersion.create(
        offering_id=offering.id,
        number=1,
        programme_version="1",
        category="any",
        service="管理咨询",
        name=name,
        submitted_at=town.now,
        submitted_by=1,
    )


async def order(
    town: Town, enterprise: Organisation, version: OfferingVersion, slug: str, days_ago: int, **others: Any
) -> Order:
    offering = await Offering.get(id=version.offering_id)
    return await Order.create(
        number=f"{slug[:2]}{version.id}-{days_ago}",
        programme_slug=slug,
        programme_version="1",
        enterprise_id=enterprise.id,
        provider_id=offering.provider_id,
        offering_id=offering.id,
        offering_version_id=version.id,
        category="any",
        project="诊断",
        price_fen=100_000,
        **{"voucher_fen": 50_000, "status": OrderStatus.DONE, **others},
        step_since=town.now,
        opened_by=Party.ENTERPRISE,
        placed_at=town.now - days_ago * DAY,
    )


@pytest.mark.rules("GZ-56")
async def test_a_product_that_had_a_voucher_in_an_earlier_year_has_none_again(town: Town) -> None:
    _, _, enterprise, provider = await sides(town)
    town.clock.at = town.clock.at.replace(year=2020)
    enterprise.area = "广东省/广州市/天河区"
    version, other = await product(provider, CITY, town), await product(provider, CITY, town, "质量诊断")
    await order(town, enterprise, version, CITY, 400, status=OrderStatus.CANCELLED)
    await order(town, enterprise, version, CITY, 401, voucher_fen=0)
    await order(town, enterprise, version, CITY, 1)
    assert codes(await asked(town, enterprise, provider, offering_version=version)) == ([], [])
    await order(town, enterprise, version, CITY, 402)
    assert codes(await asked(town, enterprise, provider, offering_version=version)) == (["stacking"], [])
    assert codes(await asked(town, enterprise, provider, offering_version=other)) == ([], [])


@pytest.mark.rules("LS-78")
async def test_one_product_ordered_under_two_programmes_in_one_year_is_looked_at(town: Town) -> None:
    _, _, enterprise, provider = await sides(town)
    here, there = await product(provider, PROGRAMME, town), await product(provider, REGION, town)
    await order(town, enterprise, there, REGION, 3)
    found = await asked(town, enterprise, provider, PROGRAMME, offering_version=here)
    assert codes(found) == ([], ["ordered_elsewhere"])
    said = await asked(town, enterprise, provider, PROGRAMME, other_public_money=True)
    assert codes(said) == (["stacking"], [])


async def test_what_was_found_is_kept_with_the_order_for_good(town: Town) -> None:
    _, _, enterprise, provider = await sides(town)
    made = await order(town, enterprise, await product(provider, REGION, town), REGION, 0)
    found = await asked(town, enterprise, provider, REGION, other_public_money=True)
    hint = Findings(found.forbidden, (await asked(town, enterprise, enterprise, REGION)).forbidden)
    await related_parties.keep(made.id, FindingKind.TIE, hint, now=town.now)
    kept = await related_parties.of_order(made.id)
    assert [(one.code, one.weight) for one in kept] == [("same", "holds")]
    with pytest.raises(Exception, match="append-only"):
        await OrderFinding.all().update(message="另有说法")


async def test_a_declaration_names_everything_wrong_and_shows_no_number(town: Town) -> None:
    ours, _, enterprise, _ = await sides(town)
    empty = (await ours.get("organisations/mine/ties")).body
    assert (empty["number"], empty["declared_at"]) == (0, None)
    person = {"kind": "person", "name": "王芳", "number": WANG, "share_bp": 6_000}
    firm = {"kind": "organisation", "name": "某公司", "number": uscc(77), "share_bp": 4_000}
    wrong = await ours.put(
        "organisations/mine/ties",
        representative="李明",
        representative_id=LI[:-1] + "9",
        phones=["12345"],
        shareholders=[
            person,
            person,
            {**firm, "number": "91330000"},
            {**firm, "number": enterprise.uscc, "share_bp": 1},
            {**firm, "number": ""},
        ],
    )
    assert (wrong.status, wrong.code) == (422, "ties_unusable")
    assert [one["code"] for one in wrong.body["unmet"]] == [
        "representative_id",
        "phones.0",
        "shareholders.2.number",
        "shareholders.3.number",
        "shareholders.4.number",
        "shareholders",
        "shareholders",
    ]
    right = {"representative": "李明", "representative_id": LI, "phones": ["13800000000"]}
    said = await ours.put("organisations/mine/ties", **right, shareholders=[person, firm])
    shown = (await ours.get("organisations/mine/ties")).body
    assert said.body == shown
    assert (shown["representative_id"], shown["phones"]) == ("360***********0071", ["138****0000"])
    assert [one["number"] for one in shown["shareholders"]] == ["330***********0016", uscc(77)]
    stored = str(await TieDeclaration.all().values())
    assert not any(secret in stored for secret in (LI, WANG, "13800000000", "李明", "王芳"))


async def test_only_who_is_in_charge_declares_and_not_without_end(town: Town) -> None:
    ours, _, _, _ = await sides(town)
    colleague = await town.joined(ours, "staff")
    refused = await colleague.put("organisations/mine/ties", representative="李明")
    assert (refused.status, refused.code) == (403, "not_allowed")
    for _ in range(20):
        assert (await ours.put("organisations/mine/ties", representative="李明")).status == 200
    much = await ours.put("organisations/mine/ties", representative="李明")
    assert (much.status, much.code) == (429, "too_many_today")
    town.clock.advance(timedelta(days=1, seconds=1))
    ours = await town.signed_in(await Person.get(id=ours.id))
    assert (await ours.put("organisations/mine/ties", representative="李明")).status == 200


async def test_the_official_side_reads_what_was_found_about_an_order_and_no_side_of_it_does(
    town: Town,
) -> None:
    ours, theirs, enterprise, provider = await sides(town)
    made = await order(town, enterprise, await product(provider, REGION, town), REGION, 0)
    await Order.filter(id=made.id).update(price_reason="加急")
    hint = (await asked(town, enterprise, enterprise, REGION)).forbidden
    await related_parties.keep(made.id, FindingKind.PRICE, Findings(warned=hint), now=town.now)
    path = f"orders/{made.id}/findings"
    for caller in (ours, theirs):
        refused = await caller.get(path)
        assert (refused.status, refused.code) == (403, "not_allowed")
    shown = (await (await town.operator()).get(path)).body
    assert (shown["price_fen"], shown["contract_fen"], shown["price_reason"]) == (100_000, None, "加急")
    assert [(one["kind"], one["weight"], one["code"]) for one in shown["findings"]] == [
        ("price", "holds", "same")
    ]
    elsewhere = await (await town.staff("operator", programmes=[PROGRAMME])).get(path)
    assert (elsewhere.status, elsewhere.code) == (404, "not_found")
