"""Bad paperwork, over real HTTP: whatever somebody brings that cannot be, each case told once.

Every refusal has a stable code, the clause it rests on and a Chinese sentence that says what to do. It leaves
every row of the database as it was, and whoever was refused goes on from where they stood: the same form,
the same file, the same sheet, put right, is taken.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from stdnum.cn.uscc import calc_check_digit
from tortoise.models import Model

from server.clock import CHINA
from server.models import MODULES
from server.models.people import Person
from server.services.budgets import ledger
from tests.batch import HOUR, MONDAY, PROGRAMME, Batch, a_batch
from tests.handlers.test_files import send
from tests.handlers.test_imports import HEADER, carry_out, csv, preview, upload
from tests.hostile.seeds import drawing, paper
from tests.paperwork import HANDLER, ID_NUMBERS, REPRESENTATIVE
from tests.town import Answered, Caller, Town, a_town, eligible, grab_key, uscc

SECOND = timedelta(seconds=1)
CITY = {"area": "广东省/广州市/天河区"}
WELL_RUN = {"well_run": True, "fits_industrial_policy": True, "verified_account": True}
OTHERS = {"programme": PROGRAMME, "label": "sme_monitoring", "list_name": "2020年监测企业名单"}
CHINESE = re.compile(r"[一-鿿]")
GAP = "…"
"""What a sentence has where nobody gave the value that it names."""


@dataclass(frozen=True)
class Stage:
    """A city whose round is open, its operator, and the handler of a company whose form is filled in."""

    batch: Batch
    operator: Caller
    handler: Caller
    company: dict[str, Any]
    form: dict[str, Any]

    @property
    def town(self) -> Town:
        return self.batch.town

    async def submits(self, caller: Caller, form: dict[str, Any]) -> Answered:
        """The form is handed in as it was saved last."""
        return await caller.post(f"registrations/{form['id']}/submissions", version=form["version"])

    async def saved(self) -> dict[str, Any]:
        """The company's form as another device would load it now."""
        (form,) = (await self.handler.get("registrations")).body["registrations"]
        return dict(form)

    async def fills_in(self, form: dict[str, Any], **values: Any) -> Answered:
        """Some values of the form are saved."""
        return await self.handler.patch(
            "registrations", programme=PROGRAMME, version=form["version"], values=values
        )

    async def approved(self) -> Answered:
        """The form is handed in and approved; what was answered to the handing in."""
        applied = await self.submits(self.handler, self.form)
        decided = await self.town.decide(self.operator, applied)
        assert (decided.status, decided.body["status"]) == (200, "passed"), decided.body
        return applied


@pytest.fixture
async def stage(database_url: str, redis_url: str) -> AsyncIterator[Stage]:
    """The one stage of all these tests, once on each kind of database; the books balance afterwards."""
    async with a_town(database_url, redis_url) as town:
        batch = await a_batch(town)
        handler = await town.handler(**CITY, declarations=WELL_RUN)
        company = (await handler.get("organisations/mine")).body
        saved = await town.drafted(handler, programme=PROGRAMME)
        assert (saved.status, saved.body["missing"], saved.body["faults"]) == (200, [], []), saved.body
        yield Stage(batch, await batch.operator(), handler, company, saved.body)
        assert await ledger.verify() == []


async def every_row() -> dict[str, list[Any]]:
    """Everything that is stored, table by table."""
    models = [
        one
        for module in MODULES
        for one in vars(import_module(module)).values()
        if isinstance(one, type) and issubclass(one, Model) and one.__module__ == module
    ]
    return {one.__name__: await one.all().order_by(one._meta.pk_attr).values() for one in models}


def refusal(told: Answered, status: int, code: str, *, clause: str, says: str) -> dict[str, Any]:
    """What was refused: its code, the clause, and the part of its sentence that says what to do."""
    assert (told.status, told.code) == (status, code), told.body
    assert told.body["clause"] == clause
    assert says in told.body["detail"]
    assert CHINESE.search(says)
    assert GAP not in told.body["detail"]
    return dict(told.body)


async def slowly(caller: Caller, method: str, path: str, body: Any, *, then: Callable[[], None]) -> Answered:
    """Send a body in two pieces, as a bad connection does; between them ``then`` happens."""
    raw = json.dumps(body).encode()

    async def pieces() -> AsyncIterator[bytes]:
        yield raw[:5]
        then()
        yield raw[5:]

    headers = {**caller._headers, "Content-Type": "application/json", "Idempotency-Key": grab_key()}
    url = f"/api/v1/{path}"
    async with caller._client.request(method, url, data=pieces(), headers=headers) as response:
        return Answered(response.status, await response.json(content_type=None), response.headers)


async def test_another_companys_code(stage: Stage) -> None:
    rival = await stage.town.person()
    typed = eligible(**CITY, name="别家公司", uscc=stage.company["uscc"])
    before = await every_row()
    told = await rival.post("organisations", **typed)
    refusal(told, 409, "organisation_exists", clause="GB 32100-2015", says="请持营业执照联系运营单位")
    # Nobody learns from it who the company is, and nothing of it has changed.
    assert stage.company["name"] not in str(told.body)
    assert await every_row() == before
    own = await rival.post("organisations", **{**typed, "uscc": uscc(9_000_001)})
    assert own.status == 201, own.body


async def test_a_wrong_check_digit(stage: Stage) -> None:
    person = await stage.town.person()
    start = "91440101MA5CKT0W1"
    right = calc_check_digit(start)
    wrong = next(digit for digit in "0123456789" if digit != right)
    typed = eligible(**CITY)
    before = await every_row()
    told = await person.post("organisations", **{**typed, "uscc": start + wrong})
    says = f"末位应为 {right}，现为 {wrong}，请逐位核对"
    refusal(told, 422, "uscc_invalid", clause="GB 32100-2015", says=says)
    assert await every_row() == before
    assert (await person.post("organisations", **{**typed, "uscc": start + right})).status == 201


async def test_the_id_of_the_wrong_person_in_a_form(stage: Stage) -> None:
    key = "declaration.handler_id"
    typed = await stage.fills_in(stage.form, **{key: ID_NUMBERS[REPRESENTATIVE]})
    assert typed.status == 200, typed.body
    before = await every_row()
    told = await stage.submits(stage.handler, typed.body)
    body = refusal(
        told, 422, "registration_incomplete", clause="声明函二", says="需要补充或修改，草稿已为您保留"
    )
    assert [(one["code"], one["clause"]) for one in body["unmet"]] == [(key, "声明函二")]
    assert ID_NUMBERS[REPRESENTATIVE] not in str(body)
    assert await every_row() == before
    assert await stage.saved() == typed.body
    corrected = await stage.fills_in(typed.body, **{key: ID_NUMBERS[HANDLER]})
    assert (await stage.submits(stage.handler, corrected.body)).status == 201


async def test_the_id_of_the_wrong_person_at_the_door(stage: Stage) -> None:
    assert (await stage.submits(stage.handler, stage.form)).status == 201
    person = await stage.town.person()
    typed = {"uscc": stage.company["uscc"], "name": REPRESENTATIVE, "id_number": ID_NUMBERS[HANDLER]}
    before = await every_row()
    told = await person.post("memberships/representative", **typed)
    clause = f"“{stage.town.programmes.get(PROGRAMME).name}”声明函一"
    refusal(told, 422, "representative_unproven", clause=clause, says="请核对，或由经办人邀请您加入")
    after = await every_row()
    # The attempt is counted against the person and the company, and that is all.
    counted = after["JournalEntry"][len(before["JournalEntry"]) :]
    assert [one["action"] for one in counted] == ["representative.unproven"] * 2
    assert ID_NUMBERS[HANDLER] not in str(counted)
    assert {**after, "JournalEntry": before["JournalEntry"]} == before
    right = await person.post(
        "memberships/representative", **{**typed, "id_number": ID_NUMBERS[REPRESENTATIVE]}
    )
    assert (right.status, right.body["role"]) == (201, "legal_representative")


async def test_a_forged_label(stage: Stage) -> None:
    forged = "sme_monitoring"
    assert (await stage.handler.patch("organisations/mine", labels=[forged])).status == 200
    await carry_out(stage.operator, csv(HEADER, (uscc(9_000_002), "名单上的企业", "2020", "")), **OTHERS)
    applied = await stage.submits(stage.handler, stage.form)
    before = await every_row()
    told = await stage.town.decide(stage.operator, applied, labels=(forged,))
    (label,) = [one for one in stage.town.programmes.get(PROGRAMME).labels if one.code == forged]
    body = refusal(told, 409, "label_not_listed", clause=label.article, says="如名单有更新，请先导入")
    assert OTHERS["list_name"] in body["detail"]
    # The case is still the reviewer's to decide, and the company is judged without the label.
    assert await every_row() == before
    decided = await stage.town.decide(stage.operator, applied)
    assert (decided.status, decided.body["status"]) == (200, "passed")
    assert (await stage.handler.get("organisations/mine")).body["labels"] == []


async def test_two_handlers_at_once(stage: Stage) -> None:
    town = stage.town
    representative = await town.handler(**CITY, role="legal_representative")
    codes = [(await representative.post("invitations", role="handler")).body["code"] for _ in range(2)]
    people = [await town.person() for _ in codes]
    before = await every_row()
    answers = await asyncio.gather(
        *(person.post("memberships", code=code) for person, code in zip(people, codes, strict=True))
    )
    assert sorted(one.status for one in answers) == [201, 409]
    late = [one.status for one in answers].index(409)
    refusal(
        answers[late],
        409,
        "handler_taken",
        clause=f"“{town.programmes.get(PROGRAMME).name}”通知一、方案五（一）、声明函二",
        says="请由法定代表人凭新的授权书办理交接",
    )
    after = await every_row()
    places = after["Membership"][len(before["Membership"]) :]
    assert [(one["person_id"], one["role"]) for one in places] == [(people[1 - late].id, "handler")]
    assert (await people[late].get("organisations/mine")).code == "no_organisation"
    # The late one's invitation is not spent: once the place is free, the same code lets them in.
    members = (await representative.get("memberships")).body["members"]
    (first,) = [one for one in members if one["role"] == "handler"]
    assert (await representative.delete(f"memberships/{first['id']}")).status == 204
    assert (await people[late].post("memberships", code=codes[late])).status == 201


async def test_a_document_that_is_not_what_its_name_says(stage: Stage) -> None:
    before = await every_row()
    told = await send(stage.town, stage.handler, drawing(), "营业执照.pdf", kind="licence")
    refusal(
        told,
        422,
        "file_type_mismatch",
        clause="企业手册（六）、机构手册（七）",
        says="请用原软件另存为正确格式后重新上传",
    )
    assert await every_row() == before
    assert (await send(stage.town, stage.handler, drawing(), "营业执照.png", kind="licence")).status == 201


async def test_a_document_in_the_wrong_place(stage: Stage) -> None:
    taken = await send(stage.town, stage.handler, paper(), "营业执照.pdf", kind="licence")
    assert taken.status == 201, taken.body
    licence = taken.body["id"]

    async def put(code: str) -> Answered:
        return await stage.handler.patch(
            "registrations",
            programme=PROGRAMME,
            version=stage.form["version"],
            documents={code: [licence]},
            values={"declaration.address": "天河路1号"},
        )

    before = await every_row()
    told = await put("tax")
    body = refusal(
        told,
        422,
        "form_values_unusable",
        clause="方案五（一）",
        says="请按各项说明修改后再保存，此前保存的内容仍在",
    )
    assert [one["code"] for one in body["unmet"]] == ["documents.tax"]
    assert await every_row() == before
    assert await stage.saved() == stage.form
    # Neither the file nor what was typed beside it has to be brought again.
    right = await put("licence")
    assert (right.status, right.body["documents"]["licence"]) == (200, [licence])
    assert right.body["values"]["declaration.address"] == "天河路1号"


async def test_a_decision_on_a_stale_screen(stage: Stage) -> None:
    town = stage.town
    applied = await stage.submits(stage.handler, stage.form)
    first, second = await town.operator(), await town.operator()
    path = f"reviews/{applied.body['case_id']}"
    seen = (await second.get(path)).body
    returned = await town.decide(
        first, applied, "return", reason="请核对", fields={"declaration.address": "与执照不符"}
    )
    assert returned.status == 200, returned.body
    before = await every_row()
    told = await second.post(
        f"{path}/decision", decision="reject", version=seen["version"], reason="材料不齐"
    )
    body = refusal(told, 409, "case_moved_on", clause="通知一、方案五（一）", says="请刷新后再办理")
    assert body["values"]["when"] == "2020-06-22 10:00"
    assert await every_row() == before
    # The applicant corrects what was asked for, and whoever asked for it decides on what is there now.
    corrected = await stage.fills_in(await stage.saved(), **{"declaration.address": "天河路1号"})
    assert (await stage.submits(stage.handler, corrected.body)).status == 201
    assert (await town.decide(first, applied)).status == 200


async def test_a_second_application_in_the_same_year(stage: Stage) -> None:
    await stage.approved()
    typed = await stage.fills_in(await stage.saved(), **{"declaration.address": "天河路2号"})
    assert typed.status == 200, typed.body
    before = await every_row()
    told = await stage.submits(stage.handler, typed.body)
    body = refusal(told, 409, "already_applied", clause="企业手册（一）2", says="请在“我的资格”查看")
    assert body["arithmetic"] == "已通过，有效期至 2020-12-31"
    assert await every_row() == before
    assert await stage.saved() == typed.body
    (standing,) = (await stage.handler.get("organisations/mine/qualifications")).body["qualifications"]
    assert standing["status"] == "approved"


async def test_an_import_with_broken_rows(stage: Stage) -> None:
    good = (stage.company["uscc"], "", "2020", "")
    rows = (good, ("91440101MA5CKT0W1X", "坏代码", "2020", ""), (uscc(9_000_003), "坏年份", "去年", ""), good)
    raw = csv(HEADER, *rows)
    before = await every_row()
    seen = await preview(stage.operator, raw, **OTHERS)
    told = await upload(stage.operator, "labels", raw, **OTHERS, fingerprint=seen.body["fingerprint"])
    (label,) = [one for one in stage.town.programmes.get(PROGRAMME).labels if one.code == OTHERS["label"]]
    refusal(told, 422, "import_rows_broken", clause=label.article, says="请下载错误文件，改正后重新上传")
    # Not even the rows that are right were taken in, and every wrong one is named with its fault.
    assert await every_row() == before
    faults = {row["row"]: [one["problem"] for one in row["faults"]] for row in seen.body["rows"]}
    assert faults[2] == []
    assert "校验位不符" in faults[3][0]
    assert "请写作 2024" in faults[4][0]
    assert faults[5] == ["与第 2 行重复"]
    done = await carry_out(stage.operator, csv(HEADER, good), **OTHERS)
    assert done.body["counts"]["new"] == 1
    assert (await stage.handler.get("organisations/mine")).body["labels"] == [OTHERS["label"]]


async def test_a_window_that_closes_while_an_application_is_being_sent(stage: Stage) -> None:
    await stage.approved()
    town, clock = stage.town, stage.town.clock
    path = f"rounds/{stage.batch.round_id}/application"
    clock.at = stage.batch.closes_at - SECOND
    handler = await town.signed_in(await Person.get(id=stage.handler.id))

    # The same bad connection, a second before: in time.
    in_time = await slowly(handler, "PUT", path, {"amount_fen": 500_000}, then=lambda: None)
    assert (in_time.status, in_time.body["amount_fen"]) == (200, 500_000)
    before = await every_row()
    told = await slowly(
        handler,
        "PUT",
        path,
        {"amount_fen": 800_000},
        then=lambda: setattr(clock, "at", stage.batch.closes_at),
    )
    programme = town.programmes.get(PROGRAMME)
    says = "本次填写的 8,000.00 元未提交；此前的申领仍有效，请留意下一批次"
    refusal(told, 409, "applying_closed", clause=programme.issuance.article, says=says)
    assert await every_row() == before
    assert (await handler.get(path)).body["amount_fen"] == 500_000


async def test_a_programme_that_ends_while_a_form_is_being_sent(stage: Stage) -> None:
    town, clock = stage.town, stage.town.clock
    programme = town.programmes.get(PROGRAMME)
    path, body = f"registrations/{stage.form['id']}/submissions", {"version": stage.form["version"]}
    end = MONDAY.astimezone(CHINA).replace(year=2021, month=1, day=1, hour=0)
    clock.at = end - SECOND
    handler = await town.signed_in(await Person.get(id=stage.handler.id))
    before = await every_row()
    told = await slowly(handler, "POST", path, body, then=lambda: setattr(clock, "at", end))
    says = "已保存的内容仍在，请留意主管部门通知"
    refusal(told, 409, "programme_not_running", clause=programme.validity.article, says=says)
    assert await every_row() == before
    clock.at = end - HOUR
    in_time = await slowly(handler, "POST", path, body, then=lambda: None)
    assert in_time.status == 201, in_time.body
