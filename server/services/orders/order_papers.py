"""The papers of an order: which a step asks of a side, what is missing or wrong, and handing them in.

A paper's files are the hander's own, are attached to the order for good, and are seen by both sides; what
was sent back stays in the file, marked as withdrawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from server import texts
from server.errors import Unmet
from server.models.orders import Order, OrderAct, OrderPaper
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.programme.papers import Document, DocumentForm
from server.programme.steps import OrderStep
from server.programme.vocabulary import Actor as ProgrammeActor
from server.programme.vocabulary import LegalForm, Party
from server.rules.deadlines import in_service_window
from server.rules.evidence import Handed, papers_missing
from server.services.access import Actor
from server.services.files import files
from server.services.orders.order_book import subject_of
from server.services.payments import paying_steps
from server.services.step_work import Paper


@dataclass(frozen=True, slots=True, kw_only=True)
class HandIn:
    """One document as somebody hands it in; money in fen."""

    code: str
    file_ids: tuple[int, ...]
    number: str = ""
    amount_fen: int | None = None
    dated: date | None = None
    payer: str = ""
    payee: str = ""


async def asked(
    step: OrderStep, order: Order, programme: Programme, party: Party | None
) -> tuple[Document, ...]:
    """The documents this side hands in with a step.

    What is made on the platform itself is handed in by nobody; what the payment gateway vouches for, or
    comes to nothing, needs no receipt; and of a step that both sides do, whoever is first brings the
    papers, and the other one agrees to them.
    """
    if await paying_steps.waives_papers(order, programme, step):
        return ()
    mine = [document for document in step.documents if _is_for(document, party)]
    if step.actor is ProgrammeActor.BOTH and await handed_with(order, step):
        return ()
    return tuple(mine)


def _is_for(document: Document, party: Party | None) -> bool:
    if document.form is DocumentForm.ELECTRONIC or document.carried_over:
        return False
    return document.by in (None, ProgrammeActor.BOTH) or (
        party is not None and document.by.value == party.value
    )


async def handed_with(order: Order, step: OrderStep) -> bool:
    """Whether papers of this step are there already."""
    return await OrderPaper.exists(order_id=order.id, step=step.kind, withdrawn_at=None)


async def of_order(order_id: int, *, withdrawn: bool = False) -> list[OrderPaper]:
    """The papers of an order that count, in the order they were handed in; or all of them."""
    papers = OrderPaper.filter(order_id=order_id)
    if not withdrawn:
        papers = papers.filter(withdrawn_at=None)
    return await papers.order_by("id")


async def taken(hand_ins: Sequence[HandIn], *, actor: Actor) -> Mapping[str, tuple[Paper, ...]]:
    """What is handed in, by the document's code, with its files. Raises ``FilesUnknown``."""
    papers: dict[str, tuple[Paper, ...]] = {}
    for one in hand_ins:
        stored = await files.own_files(one.file_ids, actor=actor)
        paper = Paper(
            code=one.code,
            files=tuple(stored),
            number=one.number,
            amount_fen=one.amount_fen,
            dated=one.dated,
            payer=one.payer,
            payee=one.payee,
        )
        papers[one.code] = (*papers.get(one.code, ()), paper)
    return papers


async def faults(
    programme: Programme,
    documents: Sequence[Document],
    papers: Mapping[str, Sequence[Paper]],
    order: Order,
    party: Party | None,
) -> tuple[Unmet, ...]:
    """Every document that is missing, unasked for, or wrong in what can be seen of it."""
    known = {document.code: document for document in documents}
    found = [
        Unmet(code, "", texts.STEP_FIELD_FAULTS["paper_unknown"].format(name=code))
        for code in papers
        if code not in known
    ]
    found += [
        Unmet(code, known[code].article, texts.STEP_FIELD_FAULTS["no_file"].format(name=known[code].name))
        for code, some in papers.items()
        if code in known and any(not paper.files for paper in some)
    ]
    handed = [
        Handed(code=code, count=sum(len(paper.files) for paper in some))
        for code, some in papers.items()
        if code in known
    ]
    services = frozenset({order.service} if order.service else ())
    by_form = any(document.legal_forms for document in documents)
    legal_form = await _legal_form(order, party) if by_form else None
    found += papers_missing(documents, handed, legal_form=legal_form, services=services)
    for code, some in papers.items():
        if code in known:
            found += [fault for paper in some for fault in _day_faults(programme, known[code], paper)]
    return tuple(found)


def _day_faults(programme: Programme, document: Document, paper: Paper) -> list[Unmet]:
    """A document whose date counts says it, and within the service window (GZ-35)."""
    if not document.in_service_window or paper.dated is None:
        return []
    if in_service_window(programme, paper.dated):
        return []
    first, last = programme.validity.service_from, programme.validity.service_until
    message = texts.PAPERS["in_service_window"].format(name=document.name)
    return [Unmet(document.code, document.article, message, f"{first} ≤ {paper.dated} ≤ {last}")]


async def _legal_form(order: Order, party: Party | None) -> LegalForm | None:
    if party is None:
        return None
    side = order.enterprise_id if party is Party.ENTERPRISE else order.provider_id
    organisation = await Organisation.get(id=side)
    return organisation.legal_form or (LegalForm.LEGAL_PERSON if organisation.legal_person else None)


async def hand_in(
    act: OrderAct,
    order: Order,
    papers: Mapping[str, Sequence[Paper]],
    *,
    programme: Programme,
    now: datetime,
) -> None:
    """Keep what was handed in with a step. Raises ``FileUnacceptable``, ``FilesUnknown``."""
    for code, some in papers.items():
        for paper in some:
            await files.attach(paper.files, subject_of(order), code, programme=programme, now=now)
            await OrderPaper.create(
                order_id=order.id,
                act_id=act.id,
                step=act.step,
                code=code,
                files=[file.id for file in paper.files],
                number=paper.number,
                amount_fen=paper.amount_fen,
                dated=paper.dated,
                payer=paper.payer,
                payee=paper.payee,
                handed_at=now,
            )
