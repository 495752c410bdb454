"""Documents: what both have signed, forms with every field, and the same bytes again."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from pypdf import PdfReader
from tortoise.transactions import in_transaction

from server.gateways.press import Press
from server.keys import DOCUMENT_DESK
from server.models.contracts import Contract
from server.models.documents import PrintedDocument, Signature
from server.models.files import StoredFile
from server.models.journal import JournalEntry
from server.models.orders import Order
from server.models.people import Person
from server.programme.vocabulary import Party
from server.rules.contracts import ContractStatus
from server.rules.documents import Printed
from server.services.documents.documents import Documents, TextChanged, signatures_of
from server.units import yuan_to_fen
from tests.ordering import make_order, organisation_of, two_sides
from tests.town import PROGRAMME, Caller, Town

SIGNED_HERE = "guangxi-2024"
OFFLINE = "yinchuan-2024"
BUYER, SELLER = "晨光精密机械有限公司", "远山数字技术有限公司"


def words_in(pdf: bytes) -> str:
    """The text of a PDF as a reader extracts it, without its line breaks."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return "".join(page.extract_text() for page in pages).replace("\n", "").replace("\u200b", "")


@dataclass
class Scene:
    """Two sides with an order and its contract."""

    town: Town
    enterprise: Caller
    provider: Caller
    order: Order
    contract: Contract

    @property
    def desk(self) -> Documents:
        desk: Documents = self.town.app[DOCUMENT_DESK]
        return desk

    async def sign(self, party: Party, document: Printed = Printed.CONTRACT, version: int = 1) -> Signature:
        caller = self.enterprise if party is Party.ENTERPRISE else self.provider
        async with in_transaction():
            return await self.desk.sign(self.order, document, version, party, caller.id, now=self.town.now)

    async def printed(self, version: int = 1) -> StoredFile:
        signatures = await signatures_of(self.order.id, Printed.CONTRACT, version)
        async with in_transaction():
            return await self.desk.contract_pdf(
                self.order, self.contract, version, signatures, now=self.town.now
            )

    async def both_signed(self) -> StoredFile:
        for party in Party:
            await self.sign(party)
        return await self.printed()


async def a_scene(town: Town, slug: str = SIGNED_HERE, **others: Any) -> Scene:
    callers = await two_sides(town, slug)
    programme = town.programmes.get(slug)
    enterprise, provider = [await organisation_of(one) for one in callers]
    for caller, name in zip(callers, ("李明华", "王小云"), strict=True):
        await Person.filter(id=caller.id).update(name=name)
    contract = await Contract.create(
        programme_slug=slug,
        programme_version=programme.version,
        enterprise_id=enterprise.id,
        enterprise_name=enterprise.name,
        provider_id=provider.id,
        provider_name=provider.name,
        number="HT-2026-0518",
        amount_fen=yuan_to_fen(100_000),
        signed_on=date(2026, 5, 18),
        status=ContractStatus.SIGNED,
        made_by_party=Party.ENTERPRISE,
        created_at=town.now,
    )
    known: dict[str, Any] = {
        "contract_id": contract.id,
        "contract_fen": contract.amount_fen,
        "project": "车间数字化诊断",
        "clause": "第十条",
        "arithmetic": "30% × 100,000.00 = 30,000.00",
    }
    order = await make_order(programme, enterprise, provider, at=town.now, **{**known, **others})
    return Scene(town, *callers, order, contract)


@pytest.fixture
async def scene(town: Town) -> Scene:
    return await a_scene(town)


@pytest.mark.rules("GX-52")
async def test_a_contract_is_made_from_the_order_and_signed_by_both_here(scene: Scene) -> None:
    file = await scene.both_signed()
    status, kind, pdf = await scene.enterprise.download(f"/api/v1/orders/{scene.order.id}/documents/contract")
    assert (status, kind) == (200, "application/pdf")
    said = words_in(pdf)
    for expected in (
        "服务合同",
        BUYER,
        SELLER,
        "HT-2026-0518",
        "车间数字化诊断",
        "100,000.00 元",
        "为合同金额的 20%，计 20,000.00 元",
        "服务券抵扣 30,000.00 元",
        "30% × 100,000.00 = 30,000.00",
        "签署方式：平台确认",
        "经办人 李**",
        "经办人 王**",
        "2026年5月18日10:00",
    ):
        assert expected.replace(" ", "") in said.replace(" ", ""), expected
    assert "李明华" not in said
    entry = await JournalEntry.get(action="document.printed", subject=f"order:{scene.order.id}")
    assert entry.data["sha256"] == file.sha256
    assert entry.data["file"] == file.id


async def test_what_was_printed_is_listed_with_its_hashes_and_signatures(scene: Scene) -> None:
    file = await scene.both_signed()
    for side in (scene.enterprise, scene.provider):
        (one,) = (await side.get(f"orders/{scene.order.id}/documents")).body["documents"]
        assert (one["document"], one["version"], one["sha256"]) == ("contract", 1, file.sha256)
        assert [(each["party"], each["method"]) for each in one["signatures"]] == [
            ("enterprise", "platform"),
            ("provider", "platform"),
        ]
        assert {each["text_sha256"] for each in one["signatures"]} == {one["text_sha256"]}


async def test_the_same_content_gives_the_same_bytes(scene: Scene) -> None:
    file = await scene.both_signed()
    printed = await PrintedDocument.get(order_id=scene.order.id)
    _, _, pdf = await scene.enterprise.download(f"/api/v1/orders/{scene.order.id}/documents/contract")
    scene.town.clock.advance(scene.town.now - scene.town.now.replace(hour=0))
    again = await Press().print(printed.document.value, printed.content, at=printed.printed_at)
    assert again == pdf
    assert len(pdf) == file.size_bytes
    assert PdfReader(io.BytesIO(pdf)).metadata["/CreationDate"] == "D:20260518020000Z"  # type: ignore[index]


async def test_before_both_have_signed_there_is_a_draft_and_nothing_else(scene: Scene) -> None:
    early = await scene.enterprise.get(f"orders/{scene.order.id}/documents/contract")
    assert (early.status, early.code) == (409, "not_printed_yet")
    _, kind, pdf = await scene.provider.download(f"/api/v1/orders/{scene.order.id}/documents/contract/draft")
    assert kind == "application/pdf"
    assert "草稿未签署" in words_in(pdf).replace(" ", "")
    assert "签字、盖章" in words_in(pdf)
    assert not await PrintedDocument.exists()


async def test_both_sign_one_text_or_look_at_it_again(scene: Scene) -> None:
    await scene.sign(Party.ENTERPRISE)
    await Contract.filter(id=scene.contract.id).update(amount_fen=yuan_to_fen(90_000))
    with pytest.raises(TextChanged):
        await scene.sign(Party.PROVIDER)
    assert await Signature.filter(order_id=scene.order.id).count() == 1
    await Contract.filter(id=scene.contract.id).update(amount_fen=yuan_to_fen(100_000))
    assert (await scene.sign(Party.PROVIDER)).text_sha256 == (await Signature.first()).text_sha256  # type: ignore[union-attr]


async def test_what_is_printed_is_what_was_signed_whatever_changes_since(scene: Scene) -> None:
    for party in Party:
        await scene.sign(party)
    await Order.filter(id=scene.order.id).update(project="另一项目")
    scene.order = await Order.get(id=scene.order.id)
    await scene.printed()
    _, _, pdf = await scene.provider.download(f"/api/v1/orders/{scene.order.id}/documents/contract")
    assert "车间数字化诊断" in words_in(pdf)
    assert "另一项目" not in words_in(pdf)


async def test_printing_twice_at_once_keeps_one_paper(scene: Scene) -> None:
    for party in Party:
        await scene.sign(party)
    signatures = await signatures_of(scene.order.id, Printed.CONTRACT, 1)
    both = await asyncio.gather(
        *(
            scene.desk.contract_pdf(scene.order, scene.contract, 1, signatures, now=scene.town.now)
            for _ in range(2)
        )
    )
    assert both[0].id == both[1].id
    assert await PrintedDocument.all().count() == 1
    assert await StoredFile.filter(kind="contract").count() == 1


async def test_signing_twice_is_one_signature(scene: Scene) -> None:
    first = await scene.sign(Party.ENTERPRISE)
    again = await scene.sign(Party.ENTERPRISE)
    assert (first.id, await Signature.all().count()) == (again.id, 1)


async def test_only_its_two_sides_and_the_official_side_see_it_and_that_is_kept(scene: Scene) -> None:
    file = await scene.both_signed()
    address = f"/api/v1/orders/{scene.order.id}/documents/contract"
    stranger = await scene.town.handler()
    assert (await stranger.download(address))[0] == 404
    assert (await stranger.get(f"files/{file.id}")).status == 404
    assert (await scene.provider.download(f"/api/v1/files/{file.id}/content"))[0] == 200
    authority = await scene.town.staff("authority")
    unexplained = await authority.get(f"orders/{scene.order.id}/documents/contract")
    assert (unexplained.status, unexplained.code) == (422, "view_reason_missing")
    assert (await authority.download(f"{address}?why=核查"))[0] == 200
    viewed = await JournalEntry.filter(action="file.viewed", subject=f"file:{file.id}").order_by("id")
    assert [one.actor.partition(":")[0] for one in viewed] == ["person", "staff"]
    elsewhere = await scene.town.staff("authority", programmes=["lishui-2024"])
    assert (await elsewhere.download(f"{address}?why=核查"))[0] == 404


@pytest.mark.rules("GX-55")
async def test_both_sign_the_confirmation_of_the_service(scene: Scene) -> None:
    for party in Party:
        await scene.sign(party, Printed.SERVICE_CONFIRMATION)
    signatures = await signatures_of(scene.order.id, Printed.SERVICE_CONFIRMATION, 1)
    async with in_transaction():
        await scene.desk.confirmation_pdf(scene.order, 1, signatures, now=scene.town.now)
    _, _, pdf = await scene.provider.download(
        f"/api/v1/orders/{scene.order.id}/documents/service_confirmation"
    )
    said = words_in(pdf)
    for expected in ("服务确认书", BUYER, SELLER, "HT-2026-0518", scene.order.number, "平台确认"):
        assert expected in said, expected


async def test_what_parties_write_is_shown_and_never_run(town: Town) -> None:
    hostile = '#panic("x") $x^2$ *粗* <b>粗</b> // 注 \\ @甲 {给} [方] `码` "引" ' + "w" * 150
    scene = await a_scene(town, project=hostile[:200])
    _, _, pdf = await scene.provider.download(f"/api/v1/orders/{scene.order.id}/documents/contract/draft")
    assert hostile[:200].replace(" ", "") in words_in(pdf).replace(" ", "")


@pytest.mark.rules("YC-42", "YC-43", "YC-44", "YC-45")
async def test_the_offline_form_has_every_field_and_what_is_known_of_the_order(town: Town) -> None:
    scene = await a_scene(town, OFFLINE)
    address = f"/api/v1/orders/{scene.order.id}/forms/offline_review"
    inspector = await town.staff("inspector")
    status, kind, pdf = await inspector.download(address)
    assert (status, kind) == (200, "application/pdf")
    said = words_in(pdf).replace(" ", "")
    form = town.programmes.get(OFFLINE).forms[0]
    assert len(form.fields) == 20
    for field in form.fields:
        assert field.name.replace(" ", "") in said, field.name
    for known in (
        form.name,
        BUYER,
        SELLER,
        "100,000.00元",
        "车间数字化诊断",
        "□非常满意",
        "□满意",
        "□不满意",
    ):
        assert known in said, known
    assert (await (await town.handler()).download(address))[0] == 404
    assert (await inspector.download(address.replace("offline_review", "another")))[0] == 404


@pytest.mark.rules("GZ-58")
@pytest.mark.parametrize(
    ("slug", "party"),
    [("guangzhou-2020", "enterprise"), ("guangzhou-2020", "provider"), ("guangxi-2024", "provider")],
)
async def test_undertakings_are_printed_with_every_promise(town: Town, slug: str, party: str) -> None:
    programme = town.programmes.get(slug)
    rules = programme.enterprise if party == "enterprise" else programme.provider
    handler = await town.handler(name=BUYER)
    for undertaking in rules.undertakings:
        status, _, pdf = await handler.download(
            f"/api/v1/registrations/printed/{undertaking.code}?programme={slug}&party={party}"
        )
        assert status == 200
        said = words_in(pdf).replace(" ", "")
        assert BUYER in said
        for words in (undertaking.name, *undertaking.promises):
            assert words.replace(" ", "") in said, words
    assert rules.undertakings
    missing = await handler.download(f"/api/v1/registrations/printed/nothing?programme={slug}&party={party}")
    assert missing[0] == 404


async def test_an_undertaking_that_was_agreed_to_says_who_and_when(town: Town) -> None:
    handler = await town.handler(name=BUYER)
    await Person.filter(id=handler.id).update(name="李明华")
    code = town.programmes.get(PROGRAMME).enterprise.undertakings[0].code
    address = f"/api/v1/registrations/printed/{code}?programme={PROGRAMME}&party=enterprise"
    _, _, before = await handler.download(address)
    assert "法定代表人签字" in words_in(before)
    assert (await town.drafted(handler)).status == 200
    _, _, after = await handler.download(address)
    said = words_in(after).replace(" ", "")
    assert "经办人李**" in said
    assert "2026年5月18日10:00" in said
    assert "法定代表人签字" not in said


@pytest.mark.rules("GZ-58")
async def test_summary_forms_of_the_settlement_can_be_printed(town: Town) -> None:
    scene = await a_scene(town, "guangzhou-2020")
    for code, name in (("summary", "服务券使用情况明细汇总表"), ("application", "服务券兑现申请表")):
        status, _, pdf = await scene.provider.download(f"/api/v1/orders/{scene.order.id}/forms/{code}")
        assert status == 200
        assert name in words_in(pdf)
        assert SELLER in words_in(pdf)
