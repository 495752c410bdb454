"""The help centre of a programme, activities of its organisations, and templates to print and sign."""

from __future__ import annotations

import pytest

from server.programme.papers import DocumentKind
from tests import paperwork
from tests.services.documents.test_word_documents import texts_in
from tests.town import PROGRAMME, Town

CITY = "guangzhou-2020"
OFFICE = {
    "role": "operator",
    "name": "天河区服务窗口",
    "area": "广东省/广州市/天河区",
    "phone": "020-12345678",
}


@pytest.mark.rules("GZ-102")
async def test_the_help_centre_names_every_role_and_whom_to_turn_to(town: Town) -> None:
    operator = await town.operator()
    opened = await operator.post("offices", programme=CITY, **OFFICE)
    roles = (await town.anybody.get(f"help?programme={CITY}")).body["roles"]
    shown = next(one for one in roles if one["role"] == "operator")
    assert opened.status == 201, opened.body
    assert [(one["name"], one["phone"]) for one in shown["offices"]] == [("天河区服务窗口", "020-12345678")]
    assert {one["role"] for one in roles} >= {"authority", "operator"}
    closed = await operator.delete(f"offices/{opened.body['id']}")
    again = await operator.delete(f"offices/{opened.body['id']}")
    left = (await town.anybody.get(f"help?programme={CITY}")).body["roles"]
    assert (closed.status, again.code) == (204, "not_found")
    assert all(one["offices"] == [] for one in left)


async def test_offices_are_kept_by_the_programmes_own_staff(town: Town) -> None:
    elsewhere = await town.staff("operator", programmes=[PROGRAMME])
    auditor, handler = await town.staff("auditor"), await town.handler()
    assert (await elsewhere.post("offices", programme=CITY, **OFFICE)).code == "not_found"
    assert (await auditor.post("offices", programme=CITY, **OFFICE)).status == 403
    assert (await handler.post("offices", programme=CITY, **OFFICE)).status == 403
    wrong = await (await town.operator()).post("offices", programme=CITY, **OFFICE, uscc="123")
    assert (wrong.status, wrong.code) == (422, "uscc_invalid")


@pytest.mark.rules("LS-44", "LS-45")
async def test_trainings_and_activities_are_put_down_with_their_proof(town: Town) -> None:
    handler, stranger, operator = await town.handler(), await town.handler(), await town.operator()
    mine = (await handler.get("organisations/mine")).body["id"]
    photo = await paperwork.a_file(mine, DocumentKind.OTHER, PROGRAMME, town.now)
    said = {"programme": PROGRAMME, "kind": "training", "held_on": "2026-05-18", "what": "服务券政策培训"}
    made = await handler.post("organisations/mine/activities", **said, files=[photo.id])
    early = await handler.post("organisations/mine/activities", **{**said, "held_on": "2026-05-19"})
    foreign = await stranger.post("organisations/mine/activities", **said, files=[photo.id])
    own = (await handler.get("organisations/mine/activities")).body["activities"]
    every = (await operator.get(f"activities?programme={PROGRAMME}")).body["activities"]
    elsewhere = await town.staff("operator", programmes=[CITY])
    assert made.status == 201, made.body
    assert (early.status, early.code) == (422, "activity_in_future")
    assert (foreign.status, foreign.code) == (404, "files_unknown")
    assert own == every == [made.body]
    assert (await stranger.get("organisations/mine/activities")).body["activities"] == []
    assert (await elsewhere.get(f"activities?programme={PROGRAMME}")).code == "not_found"


async def test_a_template_comes_with_the_organisations_own_facts(town: Town) -> None:
    handler = await town.handler(name="广州晨光有限公司")
    path = f"/api/v1/registrations/templates/declaration?programme={CITY}"
    status, media_type, content = await handler.download(path)
    written = texts_in(content)
    assert (status, media_type.split(";")[0].rpartition(".")[2]) == (200, "document")
    assert written[0] == "广州市中小微企业声明函"
    assert written[written.index("企业名称") + 1] == "广州晨光有限公司"
    assert written[written.index("现有从业人员") + 1] == "42"
    assert "1. 未列入国家“失信联合惩戒黑名单”" in written
    assert "须由法定代表人亲笔签字，不能用签章代替。" in written
    missing = await handler.get(f"registrations/templates/licence?programme={CITY}")
    assert (missing.status, missing.code) == (404, "not_found")
