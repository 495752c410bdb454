"""Files over HTTP: sending, resuming, seeing, and what happens when a connection does not behave."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import FormData, MultipartWriter

from server.clock import CHINA
from server.keys import UPLOADS
from server.models.files import EvidenceObject, FileAttachment, StoredFile, Upload
from server.models.organisations import Organisation
from server.models.people import Person
from server.services import journal
from server.services.files import files
from tests.hostile.seeds import paper, photo
from tests.town import Answered, Caller, Town

GUANGZHOU = "guangzhou-2020"
FIVE_MB = 5 * 1024 * 1024
PART = {"Content-Type": "application/offset+octet-stream"}


async def call(town: Town, caller: Caller, method: str, path: str, **options: Any) -> Answered:
    """One request with a body that is not JSON."""
    headers = {**caller._headers, **options.pop("headers", {})}
    if isinstance(options.get("data"), bytes):
        options["data"] = BytesIO(options["data"])
    async with town.client.request(method, f"/api/v1/{path}", headers=headers, **options) as response:
        body = await response.read()
        said = await response.json(content_type=None) if "json" in response.content_type else body
        return Answered(response.status, said, response.headers)


async def send(
    town: Town,
    caller: Caller,
    content: Any,
    name: str = "营业执照.pdf",
    *,
    kind: str = "licence",
    programme: str = GUANGZHOU,
    media_type: str = "application/octet-stream",
) -> Answered:
    """A file at once."""
    path = f"files?programme={programme}&kind={kind}&name={quote(name)}"
    return await call(town, caller, "POST", path, data=content, headers={"Content-Type": media_type})


async def begun(caller: Caller, content: bytes, name: str = "合同.pdf", **more: Any) -> Answered:
    """An upload that waits for its parts."""
    return await caller.post(
        "uploads", programme=GUANGZHOU, kind="contract", name=name, size_bytes=len(content), **more
    )


async def part(
    town: Town, caller: Caller, upload: str, offset: int, content: Any, *, phone: bool = False
) -> Answered:
    """The next part; a phone cannot say PATCH."""
    method, path = ("POST", f"uploads/{upload}/parts") if phone else ("PATCH", f"uploads/{upload}")
    headers = {**PART, "Upload-Offset": str(offset)}
    return await call(town, caller, method, path, data=content, headers=headers)


async def attached(file_id: int, subject: str = "registration:1", programme: str = GUANGZHOU) -> None:
    """Handed in with something."""
    file = await StoredFile.get(id=file_id)
    await FileAttachment.create(
        file_id=file.id,
        subject=subject,
        document_code="licence",
        programme_slug=programme,
        attached_at=file.created_at,
    )


async def nothing_is_left(town: Town) -> bool:
    uploads = town.app[UPLOADS]
    waiting = await asyncio.to_thread(lambda: list(uploads._directory.glob("*")))
    return not waiting and not [
        model for model in (StoredFile, Upload, EvidenceObject) if await model.all().exists()
    ]


# -- at once ---------------------------------------------------------------------------------------


@pytest.mark.rules("GZ-78")
async def test_a_file_is_taken_and_told(town: Town) -> None:
    handler, content = await town.handler(), paper(2)
    taken = await send(town, handler, content, media_type="application/pdf")
    assert taken.status == 201, taken.body
    told = taken.body
    assert told["sha256"] == hashlib.sha256(content).hexdigest()
    assert (told["name"], told["media_type"], told["pages"], told["size_bytes"]) == (
        "营业执照.pdf",
        "application/pdf",
        2,
        len(content),
    )
    assert (await handler.get("files")).body["files"] == [told]
    assert (await handler.get(f"files/{told['id']}")).body == told


async def test_a_phone_sends_a_form(town: Town) -> None:
    form = FormData()
    form.add_field("file", photo(), filename="执照.jpg", content_type="image/jpeg")
    handler = await town.handler()
    taken = await call(town, handler, "POST", f"files?programme={GUANGZHOU}&kind=licence", data=form)
    assert (taken.status, taken.body["name"]) == (201, "执照.jpg")


@pytest.mark.rules("GZ-78")
async def test_one_byte_more_than_five_megabytes_is_refused_before_it_is_read(town: Town) -> None:
    handler = await town.handler()
    refused = await send(town, handler, paper(padded_to=FIVE_MB + 1))
    assert (refused.status, refused.code) == (422, "file_unacceptable")
    assert refused.body["arithmetic"] == "5,242,881 > 5,242,880"
    assert refused.body["clause"] == "企业手册（六）、机构手册（七）"
    assert await nothing_is_left(town)


@pytest.mark.rules("GZ-78")
async def test_what_does_not_say_its_size_is_counted(town: Town) -> None:
    async def content(size: int) -> AsyncIterator[bytes]:
        whole = paper(padded_to=size)
        for start in range(0, size, 100_000):
            yield whole[start : start + 100_000]

    handler = await town.handler()
    refused = await send(town, handler, content(FIVE_MB + 1))
    assert (refused.code, refused.body["arithmetic"]) == ("file_unacceptable", "5,242,881 > 5,242,880")
    assert await nothing_is_left(town)
    assert (await send(town, handler, content(FIVE_MB))).status == 201


@pytest.mark.parametrize("parts", [("file", "file"), ("file", "note"), ("picture",), ()])
async def test_a_form_holds_one_file(town: Town, parts: tuple[str, ...]) -> None:
    handler = await town.handler()
    with MultipartWriter("form-data") as form:
        for name in parts:
            one = form.append(paper(), {"Content-Type": "application/pdf"})
            one.set_content_disposition("form-data", name=name, filename="执照.pdf")
    refused = await call(town, handler, "POST", f"files?programme={GUANGZHOU}&kind=licence", data=form)
    assert (refused.status, refused.code) == (422, "upload_form_unusable")
    assert await nothing_is_left(town)


@pytest.mark.parametrize(
    "body",
    [
        b"no form at all",
        b"--x\r\n" + b"X-Header: y\r\n" * 10_000 + b"\r\nz\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.7',
    ],
    ids=["no form", "10,000 headers", "encoded", "broken off"],
)
async def test_a_broken_form_is_refused(town: Town, body: bytes) -> None:
    handler = await town.handler()
    refused = await call(
        town,
        handler,
        "POST",
        f"files?programme={GUANGZHOU}&kind=licence",
        data=body,
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert refused.status in (400, 422), refused.body
    assert await nothing_is_left(town)


async def test_who_acts_for_nobody_sends_nothing(town: Town) -> None:
    refused = await send(town, await town.person(), paper())
    assert (refused.status, refused.code) == (404, "no_organisation")
    assert (await send(town, town.anybody, paper())).status == 401


async def test_a_name_is_kept_and_given_back_as_it_is(town: Town) -> None:
    handler, name = await town.handler(), '2026年“营业执照”（副本）; filename="x.html".pdf'
    taken = await send(town, handler, paper(), name)
    answer = await handler.get("files")
    shown = await call(town, handler, "GET", f"files/{taken.body['id']}/content")
    assert answer.body["files"][0]["name"] == name
    head = shown.headers["Content-Disposition"]
    assert (
        head
        == f"attachment; filename=\"file-{taken.body['id']}.pdf\"; filename*=UTF-8''{quote(name, safe='')}"
    )


# -- part by part ----------------------------------------------------------------------------------


@pytest.mark.parametrize("phone", [False, True], ids=["PATCH", "POST"])
async def test_a_file_comes_in_parts(town: Town, phone: bool) -> None:
    handler, content = await town.handler(), paper(3, padded_to=300_000)
    opened = await begun(handler, content, sha256=hashlib.sha256(content).hexdigest())
    upload = opened.body["id"]
    assert opened.headers["Location"] == f"/api/v1/uploads/{upload}"
    first = await part(town, handler, upload, 0, content[:100_000], phone=phone)
    early = await handler.post(f"uploads/{upload}/completion")
    second = await part(town, handler, upload, 100_000, content[100_000:], phone=phone)
    assert [one.headers["Upload-Offset"] for one in (first, second)] == ["100000", "300000"]
    assert (early.status, early.code) == (409, "upload_incomplete")
    taken = await handler.post(f"uploads/{upload}/completion")
    assert taken.body["sha256"] == hashlib.sha256(content).hexdigest()
    # The answer was lost: the same question has the same answer.
    assert (await handler.post(f"uploads/{upload}/completion")).body == taken.body
    assert await StoredFile.all().count() == 1


async def test_a_lost_connection_goes_on_where_it_was(town: Town) -> None:
    handler, content = await town.handler(), paper(padded_to=400_000)
    upload = (await begun(handler, content)).body["id"]
    _, writer = await asyncio.open_connection(town.client.host, town.client.port)
    head = [
        f"PATCH /api/v1/uploads/{upload} HTTP/1.1",
        "Host: x",
        f"Authorization: {handler._headers['Authorization']}",
        "Content-Type: application/offset+octet-stream",
        "Upload-Offset: 0",
        f"Content-Length: {len(content)}",
    ]
    writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + content[:150_000])
    await writer.drain()
    folder = town.app[UPLOADS].folder(await Upload.get(id=upload))
    written = 0
    while not written:
        await asyncio.sleep(0.01)  # Until the server has begun to write.
        written = await asyncio.to_thread(lambda: sum(one.stat().st_size for one in folder.iterdir()))
    writer.close()
    await writer.wait_closed()
    reached = "0"
    while reached == "0":
        await asyncio.sleep(0.01)  # Until the server has noticed.
        asked = await call(town, handler, "HEAD", f"uploads/{upload}")
        reached = asked.headers["Upload-Offset"]
    assert 0 < int(reached) <= 150_000
    assert asked.headers["Upload-Length"] == str(len(content))
    rest = await part(town, handler, upload, int(reached), content[int(reached) :])
    taken = await handler.post(f"uploads/{upload}/completion")
    assert rest.status == 204
    assert taken.body["sha256"] == hashlib.sha256(content).hexdigest()


async def test_of_two_senders_at_one_offset_one_wins(town: Town) -> None:
    handler, content = await town.handler(), paper(padded_to=200_000)
    upload = (await begun(handler, content)).body["id"]
    gate = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield content[:50_000]
        await gate.wait()
        yield content[50_000:]

    async def quickly() -> Answered:
        answer = await part(town, handler, upload, 0, content)
        gate.set()
        return answer

    slow, quick = await asyncio.gather(part(town, handler, upload, 0, slowly()), quickly())
    assert quick.status == 204
    assert (slow.status, slow.code, slow.body["values"]["offset"]) == (409, "upload_offset_wrong", 200_000)
    assert (await handler.post(f"uploads/{upload}/completion")).status == 201


async def test_a_part_begins_where_the_last_one_ended_and_keeps_to_what_was_announced(town: Town) -> None:
    handler, content = await town.handler(), paper()
    upload = (await begun(handler, content)).body["id"]
    gap = await part(town, handler, upload, 10, content[10:])
    more = await part(town, handler, upload, 0, content + b"x")
    unnamed = await call(
        town, handler, "PATCH", f"uploads/{upload}", data=content, headers={"Upload-Offset": "0"}
    )
    nowhere = await call(town, handler, "PATCH", f"uploads/{upload}", data=content, headers=PART)
    assert [(one.status, one.code) for one in (gap, more, nowhere)] == [
        (409, "upload_offset_wrong"),
        (413, "upload_overrun"),
        (422, "malformed"),
    ]
    assert unnamed.status == 204, "application/octet-stream is what a plain client sends"
    assert (await handler.post(f"uploads/{upload}/completion")).status == 201


async def test_what_arrives_other_than_announced_is_sent_again(town: Town) -> None:
    handler, content = await town.handler(), paper()
    upload = (await begun(handler, content, sha256="0" * 64)).body["id"]
    await part(town, handler, upload, 0, content)
    refused = await handler.post(f"uploads/{upload}/completion")
    assert (refused.status, refused.code) == (422, "upload_corrupted")
    assert await nothing_is_left(town)


async def test_an_upload_is_given_up(town: Town) -> None:
    handler = await town.handler()
    upload = (await begun(handler, paper())).body["id"]
    assert (await handler.delete(f"uploads/{upload}")).status == 204
    assert (await handler.get(f"uploads/{upload}")).status == 404
    assert await nothing_is_left(town)


@pytest.mark.rules("GZ-78")
async def test_what_will_not_be_taken_is_refused_before_it_is_sent(town: Town) -> None:
    handler = await town.handler()
    asked = [
        await begun(handler, bytes(FIVE_MB + 1)),
        await begun(handler, paper(), "合同.docx"),
        await begun(handler, paper(), "../合同.pdf"),
        await begun(handler, paper(), media_type="image/png"),
    ]
    assert [one.code for one in asked] == [
        "file_unacceptable",
        "file_unacceptable",
        "file_name_unusable",
        "file_type_mismatch",
    ]
    assert await nothing_is_left(town)


async def test_somebody_else_s_upload_does_not_exist(town: Town) -> None:
    handler, content = await town.handler(), paper()
    colleague, stranger = await town.joined(handler, "staff"), await town.handler()
    upload = (await begun(handler, content)).body["id"]
    for other in (colleague, stranger):
        answers = [
            await other.get(f"uploads/{upload}"),
            await part(town, other, upload, 0, content),
            await other.post(f"uploads/{upload}/completion"),
            await other.delete(f"uploads/{upload}"),
        ]
        assert [one.status for one in answers] == [404] * 4
    assert (await handler.get(f"uploads/{upload}")).body["offset"] == 0


async def test_only_so_many_uploads_are_open_at_once(town: Town) -> None:
    handler = await town.handler()
    answers = [await begun(handler, paper()) for _ in range(21)]
    assert [one.status for one in answers[:20]] == [201] * 20
    assert answers[20].code == "too_many_uploads"
    town.clock.advance(timedelta(hours=25))
    again = await town.signed_in(await Person.get(id=handler.id))
    assert (await begun(again, paper())).status == 201


# -- merging ---------------------------------------------------------------------------------------


@pytest.mark.rules("GZ-76")
async def test_photos_become_one_pdf(town: Town) -> None:
    handler = await town.handler()
    ids = [(await send(town, handler, photo(), f"{n}.jpg")).body["id"] for n in (1, 2, 3)]
    merged = await handler.post(
        "files/merges", programme=GUANGZHOU, kind="contract", name="合同.pdf", file_ids=ids[::-1]
    )
    assert (merged.status, merged.body["pages"], merged.body["merged_from"]) == (201, 3, ids[::-1])


async def test_only_own_pictures_and_papers_are_merged(town: Town) -> None:
    handler, stranger = await town.handler(), await town.handler()
    own = (await send(town, handler, photo(), "1.jpg")).body["id"]
    foreign = (await send(town, stranger, photo(), "1.jpg")).body["id"]
    order = {"programme": GUANGZHOU, "kind": "contract"}
    refused = await handler.post("files/merges", **order, name="合同.pdf", file_ids=[own, foreign])
    misnamed = await handler.post("files/merges", **order, name="合同.jpg", file_ids=[own, own])
    assert (refused.status, refused.code, refused.body["values"]) == (
        404,
        "files_unknown",
        {"ids": str(foreign)},
    )
    assert (misnamed.status, misnamed.code) == (422, "merge_impossible")


# -- seeing ----------------------------------------------------------------------------------------


async def test_a_file_is_shown_so_that_no_browser_runs_it(town: Town) -> None:
    handler = await town.handler()
    file_id = (await send(town, handler, photo(), "执照.jpg")).body["id"]
    shown = await call(town, handler, "GET", f"files/{file_id}/content")
    assert shown.status == 200
    assert shown.body[:3] == b"\xff\xd8\xff"
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert shown.headers["Cache-Control"] == "no-store"


async def test_every_view_is_in_the_journal_with_who_and_why(town: Town) -> None:
    handler = await town.handler()
    operator = await town.operator()
    file_id = (await send(town, handler, paper())).body["id"]
    await attached(file_id)
    await call(town, handler, "GET", f"files/{file_id}/content")
    why = await call(town, operator, "GET", f"files/{file_id}/content")
    seen = await call(town, operator, "GET", f"files/{file_id}/content?why={quote('核对名称')}")
    assert (why.status, why.code) == (422, "view_reason_missing")
    assert seen.status == 200
    views = [one for one in await journal.history(f"file:{file_id}") if one.action == "file.viewed"]
    assert [(one.actor, one.data["why"]) for one in views] == [
        (f"person:{handler.id}", ""),
        (f"staff:{operator.id}", "核对名称"),
    ]


async def test_a_file_is_seen_by_its_organisation_and_by_nobody_else(town: Town) -> None:
    handler, stranger, nobody = await town.handler(), await town.handler(), await town.person()
    colleague, operator = await town.joined(handler, "staff"), await town.operator()
    file_id = (await send(town, handler, paper())).body["id"]
    for path in (f"files/{file_id}", f"files/{file_id}/content?why=x"):
        assert (await call(town, colleague, "GET", path)).status == 200
        # Nothing was handed in yet: the operator has nothing to review.
        for other in (stranger, nobody, operator):
            answer = await call(town, other, "GET", path)
            assert (answer.status, answer.code) == (404, "not_found")
    assert (await stranger.get("files")).body["files"] == []
    assert (await stranger.delete(f"files/{file_id}")).status == 404


@pytest.mark.parametrize(
    ("staff", "status"),
    [
        ({"roles": ["operator"]}, 200),
        ({"roles": ["auditor"]}, 200),
        ({"roles": ["operator"], "programmes": [GUANGZHOU]}, 200),
        ({"roles": ["operator"], "programmes": ["lishui-2024"]}, 404),
        ({"roles": ["district"], "areas": ["浙江省/丽水市/莲都区"]}, 200),
        ({"roles": ["district"], "areas": ["浙江省/丽水市"]}, 200),
        ({"roles": ["district"], "areas": ["浙江省/丽水市/莲"]}, 404),
        ({"roles": ["district"], "areas": ["浙江省/丽水市/青田县"]}, 404),
        ({"roles": ["administrator"]}, 404),
    ],
    ids=str,
)
async def test_staff_see_what_is_handed_in_where_they_review(
    town: Town, staff: dict[str, Any], status: int
) -> None:
    staff = dict(staff)
    handler = await town.handler()
    file_id = (await send(town, handler, paper())).body["id"]
    await attached(file_id)
    official = await town.staff(*staff.pop("roles"), **staff)
    assert (await call(town, official, "GET", f"files/{file_id}/content?why=x")).status == status


# -- handing in and taking back ----------------------------------------------------------------------


async def test_forms_take_own_files_only(town: Town) -> None:
    handler, stranger = await town.handler(), await town.handler()
    own = [(await send(town, handler, paper(), f"{n}.pdf")).body["id"] for n in (1, 2)]
    foreign = (await send(town, stranger, paper())).body["id"]
    organisation = await Organisation.get(files__id=own[0])
    found = await files.require_own(own[::-1], organisation.id)
    assert [one.id for one in found] == own[::-1]
    with pytest.raises(files.FilesUnknown) as refused:
        await files.require_own([own[0], foreign, 999], organisation.id)
    assert refused.value.values["ids"] == f"{foreign}、999"


@pytest.mark.rules("GZ-76", "GZ-78")
async def test_one_material_is_one_pdf_within_the_limit_where_the_programme_says_so(town: Town) -> None:
    handler = await town.handler()
    first, second = [
        await StoredFile.get(
            id=(await send(town, handler, paper(padded_to=3_000_000), f"{n}.pdf")).body["id"]
        )
        for n in (1, 2)
    ]
    strict, lenient = town.programmes.get(GUANGZHOU), town.programmes.get("lishui-2024")
    await files.attach([first], "registration:1", "licence", programme=strict, now=town.now)
    with pytest.raises(files.FileUnacceptable) as refused:
        await files.attach([first, second], "registration:1", "contract", programme=strict, now=town.now)
    assert {one.code for one in refused.value.unmet} == {"single_pdf", "size"}
    assert refused.value.arithmetic == "6,000,000 > 5,242,880"
    with pytest.raises(files.FileUnacceptable) as together:
        await files.attach([first, second], "registration:2", "contract", programme=lenient, now=town.now)
    assert {one.code for one in together.value.unmet} == {"size"}
    attached_now = await files.of("registration:1")
    assert {code: [one.id for one in given] for code, given in attached_now.items()} == {
        "licence": [first.id]
    }


async def test_attaching_twice_is_attaching_once(town: Town) -> None:
    handler = await town.handler()
    file = await StoredFile.get(id=(await send(town, handler, paper())).body["id"])
    programme = town.programmes.get(GUANGZHOU)
    for _ in range(2):
        await files.attach([file], "registration:1", "licence", programme=programme, now=town.now)
    assert await FileAttachment.all().count() == 1


async def test_what_was_handed_in_stays(town: Town) -> None:
    handler = await town.handler()
    kept, mistaken = [(await send(town, handler, paper(), f"{n}.pdf")).body["id"] for n in (1, 2)]
    await attached(kept)
    refused = await handler.delete(f"files/{kept}")
    taken_back = await handler.delete(f"files/{mistaken}")
    assert (refused.status, refused.code) == (409, "file_in_use")
    assert taken_back.status == 204
    assert [one["id"] for one in (await handler.get("files")).body["files"]] == [kept]


async def test_the_copy_of_an_identity_paper_carries_the_programme_s_own_day(town: Town) -> None:
    handler = await town.handler()
    taken = await send(town, handler, photo(), "身份证.jpg", kind="identity")
    plain = await send(town, handler, photo(), "身份证.jpg", kind="contract")
    rows = [await StoredFile.get(id=one.body["id"]) for one in (taken, plain)]
    assert rows[0].original_id == rows[1].original_id
    assert rows[0].shown_id != rows[1].shown_id
    assert rows[0].created_at.astimezone(CHINA).date() == town.now.astimezone(CHINA).date()
