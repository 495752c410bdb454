"""Kept records: everything of a deal, and what supervision saw of it, in the hands of whoever audits."""

from __future__ import annotations

import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tortoise.exceptions import IntegrityError

from server.database import close_database, open_database
from server.models.files import EvidenceObject, StoredFile
from server.models.orders import Order, OrderPaper
from server.models.organisations import Organisation
from server.models.settlements import SettlementPaper
from server.models.supervision import CallBack, InspectionVisit
from server.programme.supervision import load_supervision_defaults
from server.programme.vocabulary import Party
from server.rules.supervision import CallMethod, CallOutcome, InspectionKind
from server.services.budgets import ledger
from server.services.supervision.call_backs import CallBacks
from server.services.supervision.inspection_visits import Answer, InspectionVisits, Seen
from server.services.supervision.inspections import Inspections, Subject
from server.services.supervision.supervision_book import SupervisionBook
from tests.contracting import DRAWN, GRABBED
from tests.services.proof.test_audit_packs import Registry

DEFAULTS = Path("config/supervision.toml")


@pytest.fixture
async def registry(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Registry]:
    context = await open_database(sqlite_url)
    yield Registry(tmp_path)
    assert await ledger.verify() == []
    await close_database(context)


async def supervised(registry: Registry, order: Order) -> int:
    """A visit that found something, with a photograph, and a call-back; the photograph's id."""
    book, slug = SupervisionBook(registry.programmes, registry.clocks), order.programme_slug
    defaults, actor = load_supervision_defaults(DEFAULTS), await registry.official("operator")
    paper = await StoredFile.get(id=await registry.file(await Organisation.get(id=order.provider_id), slug))
    kept = {name: getattr(paper, name) for name in paper._meta.db_fields if name != "id"}
    photo = await StoredFile.create(**{**kept, "organisation_id": None, "uploaded_by": actor.name})
    inspections, calls = Inspections(book, defaults), CallBacks(book, defaults)
    made = await inspections.plan(
        slug, InspectionKind.FOLLOW_UP, title="履约检查", planned_on=registry.today(slug), reason="跟踪履约",
        subjects=[Subject(organisation_id=order.provider_id, party=Party.PROVIDER, order_id=order.id)],
        actor=actor,
    )  # fmt: skip
    answers = {one["code"]: Answer(right=True) for one in made.items}
    first = made.items[0]["code"]
    await InspectionVisits(inspections).record(
        (await InspectionVisit.get(inspection_id=made.id)).id,
        answers={**answers, first: Answer(right=False)},
        seen=[Seen(item=first, says="资料不全", wanted="补齐资料")],
        opinion="已查阅", file_ids=[photo.id], visited_on=registry.today(slug), version=1, actor=actor,
    )  # fmt: skip
    await calls.make(slug, [order.id], reason="抽样回访", actor=actor)
    call = await CallBack.get(order_id=order.id)
    await calls.attempt(call.id, CallOutcome.NO_ANSWER, method=CallMethod.PHONE, actor=actor)
    return int(photo.id)


@pytest.mark.rules("YC-30", "LS-46")
@pytest.mark.parametrize("slug", [DRAWN, GRABBED])
async def test_the_file_of_a_deal_holds_every_paper_of_it_and_what_supervision_saw(
    registry: Registry, slug: str
) -> None:
    assert registry.programmes.get(slug).records.exportable
    budget = await registry.budget(slug)
    settlement = await registry.through(
        await registry.submitted(await registry.finished(slug, budget=budget))
    )
    order = await Order.get(id=settlement.order_id)
    photo = await supervised(registry, order)
    pack = await registry.pack(settlement, actor=await registry.official("oversight_body"))
    with zipfile.ZipFile(pack.path) as whole:
        names = whole.namelist()
        rows = [
            json.loads(line)
            for name in names
            if name.startswith("records/")
            for line in whole.read(name).splitlines()
        ]
    tables = {row["table"] for row in rows}
    assert tables >= {
        "service_order", "contract", "order_act", "order_paper", "settlement", "review_decision",
        "inspection", "inspection_visit", "inspection_finding", "rectification_task", "call_back",
        "call_attempt",
    }  # fmt: skip
    papers = [
        *await OrderPaper.filter(order_id=order.id),
        *await SettlementPaper.filter(application_id=settlement.application_id),
    ]
    handed_in = {one for paper in papers for one in paper.files} | {photo}
    assert len(handed_in) > 3
    assert handed_in <= {row["id"] for row in rows if row["table"] == "stored_file"}
    # Nor does anybody take away what was handed in.
    for model, known in (
        (StoredFile, {"id": photo}),
        (EvidenceObject, {"sha256": (await StoredFile.get(id=photo)).original_id}),
    ):
        with pytest.raises(IntegrityError):
            await model.filter(**known).delete()
