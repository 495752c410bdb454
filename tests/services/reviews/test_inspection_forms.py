"""Inspection forms: what is missing or unsigned supports no pass, and every look at a number is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from tortoise.context import TortoiseContext

from server.models.files import EvidenceObject, StoredFile
from server.models.journal import JournalEntry
from server.models.review_papers import InspectionForm
from server.models.reviews import ReviewCase, ReviewDecision
from server.programme.papers import DocumentKind
from server.programme.review import ReviewSubject, ReviewWhen
from server.rules.review import NotYourReview, ReasonMissing, Verdict
from server.sealing import Sealer
from server.services.access import Actor, NotFound
from server.services.files.files import FilesUnknown
from server.services.reviews import reveals
from server.services.reviews.inspection_forms import (
    FormNoSupport,
    InspectionForms,
    InspectionValuesUnusable,
    NoFormHere,
)
from server.services.reviews.reviewers import OwnReview
from server.services.reviews.sampling_draws import Draws
from tests.reviewing import ReviewOffice, every_programme

YINCHUAN = every_programme().get("yinchuan-2024")
(FORM,) = YINCHUAN.forms
WHOLE: dict[str, Any] = {
    "provider_name": "甲服务公司",
    "provider_seal": True,
    "address": "兴庆区一号",
    "contact": "张三",
    "phone": "13800138000",
    "contract_amount": 10_000_000,
    "settlement_amount": 3_000_000,
    "offering_name": "上云服务",
    "opinion": "很好",
    "satisfaction": "非常满意",
    "third_party_finding": "申报文件齐全，服务已完成",
    "decision": "通过",
    "decided_on": "2026-05-15",
    "third_party_name": "乙核查公司",
    "third_party_signature": True,
    "third_party_date": "2026-05-15",
    "enterprise_name": "丙机械公司",
    "enterprise_contact": True,
    "enterprise_phone": "13900139000",
    "enterprise_date": "2026-05-15",
}


@dataclass
class Visit:
    """A case that waits for its inspection offline, and the inspector."""

    office: ReviewOffice
    forms: InspectionForms
    case: ReviewCase
    inspector: Actor
    paper: int

    async def fill(self, *, paper: int | None, **changes: Any) -> InspectionForm:
        values = {code: value for code, value in {**WHOLE, **changes}.items() if value is not None}
        return await self.forms.fill(self.case.id, values, paper_id=paper, actor=self.inspector)

    async def passes(self) -> ReviewCase:
        return await self.office.reviews.decide(
            self.case.id, Verdict.APPROVED, version=self.case.version, actor=self.inspector
        )


@pytest.fixture
async def visit(database: TortoiseContext) -> Visit:
    office = ReviewOffice(every_programme())
    case = await office.open(
        YINCHUAN, ReviewSubject.SETTLEMENT, circumstances=[ReviewWhen.EVIDENCE_INCOMPLETE]
    )
    case = await office.not_drawn(await office.decide(case))
    inspector = await office.staff("inspector")
    digest = uuid4().hex * 2
    await EvidenceObject.create(sha256=digest, leased_at=office.now)
    paper = await StoredFile.create(
        uploaded_by=inspector.name,
        programme_slug=YINCHUAN.slug,
        kind=DocumentKind.APPLICATION_FORM,
        name="情况表.pdf",
        original_id=digest,
        shown_id=digest,
        size_bytes=1_000,
        media_type="application/pdf",
        shown_media_type="application/pdf",
        extension="pdf",
        pages=1,
        created_at=office.now,
    )
    forms = InspectionForms(
        office.programmes,
        office.reviews.clocks,
        Sealer({"k1": "a secret of 32 bytes " * 2}),
        reviewed=office.reviews.reviewed,
    )
    return Visit(office, forms, case, inspector, paper.id)


@pytest.mark.rules("YC-42", "YC-44", "YC-45")
async def test_a_form_that_is_incomplete_unsigned_or_says_no_supports_no_pass(visit: Visit) -> None:
    with pytest.raises(FormNoSupport, match="form_no_support"):
        await visit.passes()
    for lacking in [one.code for one in FORM.fields if one.required]:
        made = await visit.fill(paper=visit.paper, **{lacking: None})
        assert made.missing == [lacking]
    with pytest.raises(FormNoSupport):
        await visit.passes()
    # Signatures are said to stand on a paper that nobody uploaded.
    unsigned = await visit.fill(paper=None)
    assert set(unsigned.missing) == {"provider_seal", "third_party_signature", "enterprise_contact"}
    with pytest.raises(FormNoSupport):
        await visit.passes()
    await visit.fill(paper=visit.paper, decision="不通过")
    with pytest.raises(FormNoSupport):
        await visit.passes()
    assert await ReviewDecision.filter(case_id=visit.case.id, place=visit.case.place).count() == 0

    await visit.fill(paper=visit.paper)
    case = await visit.passes()

    assert case.step_name == "局务会"
    assert await InspectionForm.filter(case_id=case.id).count() == len(FORM.fields) + 3


@pytest.mark.rules("YC-43")
async def test_a_form_filled_in_on_the_phone_is_signed_by_pictures_and_takes_the_forms_own_words(
    visit: Visit,
) -> None:
    signed = {
        "provider_seal": visit.paper,
        "third_party_signature": visit.paper,
        "enterprise_contact": visit.paper,
    }
    made = await visit.fill(paper=None, **signed)
    assert (made.missing, made.passes) == ([], True)
    for wrong in ({"satisfaction": "还行"}, {"phone": "12"}, {"contract_amount": "很多"}, {"nothing": "x"}):
        with pytest.raises(InspectionValuesUnusable):
            await visit.fill(paper=visit.paper, **wrong)
    with pytest.raises(FilesUnknown):
        await visit.fill(paper=visit.paper + 99)
    assert await InspectionForm.filter(case_id=visit.case.id).count() == 1


async def test_only_whoever_inspects_fills_a_form_and_only_where_one_is_asked(visit: Visit) -> None:
    stranger = await visit.office.staff("operator")
    with pytest.raises(NotYourReview):
        await visit.forms.fill(visit.case.id, {}, paper_id=None, actor=stranger)
    other = await visit.office.open(YINCHUAN, ReviewSubject.SETTLEMENT)
    with pytest.raises(NoFormHere):
        await visit.forms.fill(other.id, {}, paper_id=None, actor=stranger)


async def test_whoever_is_tied_to_either_side_of_the_order_fills_no_form_and_flags_nothing(
    visit: Visit,
) -> None:
    enterprise = "91330000MA2H4R5T6U"
    visit.office.thing.others = frozenset({enterprise})
    tied = await visit.office.staff("inspector", affiliations=[enterprise])
    draws = Draws(visit.office.programmes, visit.office.reviews, visit.forms.sealer)
    with pytest.raises(OwnReview):
        await visit.forms.fill(visit.case.id, WHOLE, paper_id=None, actor=tied)
    with pytest.raises(OwnReview):
        await draws.flag(visit.case.id, reason="可疑", actor=tied)
    assert not await InspectionForm.exists()
    await visit.fill(paper=visit.paper)


async def test_a_number_is_masked_sealed_and_shown_whole_to_one_who_says_why(visit: Visit) -> None:
    made = await visit.fill(paper=visit.paper)
    assert "13800138000" not in made.sealed_values
    shown = await visit.forms.shown(visit.case)
    assert shown is not None
    assert shown.values["phone"] != "13800138000"
    assert shown.values["satisfaction"] == "非常满意"

    async def reveal(reason: str, by: Actor) -> str:
        return await reveals.reveal(
            visit.office.reviews, visit.forms, visit.case.id, "phone", reason=reason, actor=by
        )

    with pytest.raises(ReasonMissing):
        await reveal(" ", visit.inspector)
    with pytest.raises(NotFound):
        await reveal("核实", await visit.office.staff("treasury"))
    assert not await JournalEntry.filter(action="review.revealed").exists()
    assert await reveal("电话核实", visit.inspector) == "13800138000"
    entry = await JournalEntry.get(action="review.revealed")
    assert (entry.actor, entry.data) == (visit.inspector.name, {"field": "phone", "reason": "电话核实"})
