"""Districts: a department sees how far the enterprises of its own areas have come, and reminds them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from server.models.organisations import Organisation, Qualification
from server.rules.lifecycles import QualificationStatus
from tests.factories import make_enterprise, make_qualified
from tests.town import DAY, PROGRAMME, Answered, Caller, Town

LIANDU, ZONE = "浙江省/丽水市/莲都区", "浙江省/丽水市/丽水经开区"
HERE = f"programme={PROGRAMME}"


async def department(town: Town, *areas: str) -> Caller:
    return await town.staff("district", areas=areas or [LIANDU])


async def stages(caller: Caller, asked: str = HERE) -> dict[int, str]:
    listed = await caller.get(f"districts/enterprises?{asked}")
    assert listed.status == 200, listed.body
    return {one["id"]: one["stage"] for one in listed.body["enterprises"]}


async def id_of(handler: Caller) -> int:
    return int((await handler.get("organisations/mine")).body["id"])


async def remind(caller: Caller, *ids: int) -> Answered:
    return await caller.post("districts/reminders", programme=PROGRAMME, organisations=list(ids))


async def headings(handler: Caller, town: Town) -> list[str]:
    await town.run_jobs()
    return [one["title"] for one in (await handler.get("inbox?order=time")).body["messages"]]


async def with_status(town: Town, status: QualificationStatus) -> int:
    made = await make_qualified(town.programmes.get(PROGRAMME), name="停牌精工有限公司")
    await Qualification.filter(organisation_id=made.id).update(status=status)
    return int(made.id)


@pytest.mark.rules("GZ-02")
async def test_a_department_sees_how_far_each_enterprise_of_its_areas_has_come(town: Town) -> None:
    operator = await town.operator()
    registered = await town.handler()
    drafted = await town.handler()
    assert (await town.drafted(drafted)).status == 200
    submitted = await town.handler()
    await town.applied(submitted)
    returned = await town.handler()
    case = await town.applied(returned)
    decided = await town.decide(operator, case, "return", reason="印章不清晰", fields={})
    assert decided.status == 200, decided.body
    approved = await town.qualified(operator)
    holder = await town.qualified(operator)
    round_id = await town.open_round(operator)
    await town.grant(round_id, holder, await id_of(holder))
    ended = await with_status(town, QualificationStatus.REVOKED)
    callers = {
        "registered": registered,
        "drafted": drafted,
        "submitted": submitted,
        "returned": returned,
        "approved": approved,
        "applied": holder,
    }
    expected = {await id_of(caller): stage for stage, caller in callers.items()} | {ended: "ended"}
    official = await department(town)
    assert await stages(official) == expected
    counted = (await official.get(f"districts/counts?{HERE}")).body
    assert {one["stage"]: one["enterprises"] for one in counted["stages"]} == dict.fromkeys(
        expected.values(), 1
    )
    assert counted["enterprises"] == len(expected)
    for organisation_id, stage in expected.items():
        assert await stages(official, f"{HERE}&stage={stage}") == {organisation_id: stage}


@pytest.mark.rules("GZ-02")
async def test_the_enterprises_of_other_areas_are_not_there(town: Town) -> None:
    ours, theirs = await town.handler(area=f"{LIANDU}/万象街道"), await town.handler(area=ZONE)
    official = await department(town)
    assert list(await stages(official)) == [await id_of(ours)]
    assert list(await stages(await department(town, LIANDU, ZONE))) == [
        await id_of(ours),
        await id_of(theirs),
    ]
    for asked in ("enterprises", "counts"):
        foreign = await official.get(f"districts/{asked}?{HERE}&area={ZONE}")
        assert (foreign.status, foreign.code) == (404, "not_found")
    # One foreign enterprise among one's own: nobody is reminded.
    refused = await remind(official, await id_of(ours), await id_of(theirs))
    assert (refused.status, refused.code) == (404, "not_found")
    assert await headings(ours, town) == []
    assert (await remind(official, await id_of(ours))).body["sent"] == [await id_of(ours)]
    elsewhere = await town.staff("district", areas=[LIANDU], programmes=["guangzhou-2020"])
    assert (await elsewhere.get(f"districts/enterprises?{HERE}")).status == 404
    assert (await elsewhere.get("districts/enterprises?programme=guangzhou-2020")).status == 200


@pytest.mark.rules("GZ-02")
async def test_an_enterprise_is_reminded_of_its_next_step_once_a_day(town: Town) -> None:
    operator = await town.operator()
    handler, official = await town.handler(), await department(town)
    waiting = await town.handler()
    await town.applied(waiting)
    mine, theirs = await id_of(handler), await id_of(waiting)
    done = await remind(official, mine, theirs, mine)
    assert (done.status, done.body) == (200, {"sent": [mine], "had_one": [], "not_their_turn": [theirs]})
    assert (await remind(official, mine)).body["had_one"] == [mine]
    # A colleague of another department on the same day is no second voice.
    assert (await remind(operator, mine)).body["had_one"] == [mine]
    assert await headings(handler, town) == ["请填写申请"]
    listed = (await official.get(f"districts/enterprises?{HERE}&stage=registered")).body["enterprises"]
    assert listed[0]["reminded_at"] is not None
    town.clock.advance(DAY)
    official = await department(town)
    assert (await remind(official, mine)).body["sent"] == [mine]


async def test_pages_follow_each_other_without_a_gap(town: Town) -> None:
    made = [(await make_enterprise()).id for _ in range(5)]
    official = await department(town)
    seen: list[int] = []
    after: Any = 0
    while after is not None:
        page = (await official.get(f"districts/enterprises?{HERE}&limit=2&after={after}")).body
        seen += [one["id"] for one in page["enterprises"]]
        after = page["next_after"]
    assert seen == made


@pytest.mark.rules("GZ-02")
async def test_the_csv_holds_the_whole_list_and_no_formula(town: Town) -> None:
    await make_enterprise(name='=HYPERLINK("http://evil.example")')
    await make_enterprise(name="晨光精密机械有限公司")
    await make_enterprise(area=ZONE)
    official = await department(town)
    status, kind, content = await official.download(f"/api/v1/districts/enterprises.csv?{HERE}")
    assert (status, kind) == (200, "text/csv")
    assert content.startswith(b"\xef\xbb\xbf")
    head, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    assert head[1] == "企业名称"
    assert [row[1] for row in rows] == ['\'=HYPERLINK("http://evil.example")', "晨光精密机械有限公司"]
    assert {row[3] for row in rows} == {"已注册，未填报"}


async def test_who_provides_or_is_of_elsewhere_is_not_asked_to_apply(town: Town) -> None:
    handler = await town.handler()
    saved = await town.drafted(handler, party="provider")
    assert saved.status == 200, saved.body
    enterprise = await make_enterprise()
    await make_enterprise(area="广东省/广州市/天河区")
    assert await Organisation.all().count() == 3
    assert list(await stages(await town.operator())) == [enterprise.id]
