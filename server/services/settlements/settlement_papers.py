"""The papers of a settlement: what its provider hands in beside what the order brought, and what stands.

A paper is kept with the application until it is handed in; then its files hang on the order, where both
sides see them, or on the application, and its number counts once for good.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from server import texts
from server.errors import Refusal
from server.models.files import StoredFile
from server.models.orders import Order
from server.models.reviews import ReviewDecision
from server.models.settlements import Settlement, SettlementApplication, SettlementPaper
from server.programme.model import Programme
from server.programme.papers import Document
from server.programme.steps import OrderStep, StepKind
from server.programme.vocabulary import Party
from server.rules.invoice_checks import CHECKED, Shown, mark_kind, mark_of
from server.rules.review import Verdict
from server.rules.settlements import (
    SettlementStatus,
    asked_documents,
    carried_documents,
    for_all,
    settle_step,
)
from server.services.access import Actor
from server.services.files import files
from server.services.orders.order_papers import HandIn
from server.services.payments import invoices
from server.services.step_work import Move, Paper


class PaperNotAsked(Refusal):
    """The text asks for no such document here, or takes it over from the order."""

    status, code = 422, "settlement_paper_not_asked"


@dataclass(frozen=True, slots=True)
class ForOrder:
    """One document as it is handed in, for one order of the application or, without one, for all."""

    order_id: int | None
    paper: HandIn


def step_of(programme: Programme) -> OrderStep:
    """The step under which a settlement's papers count; where the text lists none, as if it did."""
    return settle_step(programme) or OrderStep(
        kind=StepKind.SETTLE,
        name=texts.SETTLING,
        actor=programme.settlement.claimed_by,
        article=programme.settlement.article,
    )


async def opened(settlement: Settlement, programme: Programme) -> list[Document]:
    """What may be handed in for one order now: all that is asked of a draft; of what was returned, what the
    reviewer named, an alternative to it included.

    Whoever approved the rest does not see it again. What the order brought is handed in anew only so (GZ-40).
    A return that names no document opens all of the settlement's own.
    """
    own = [one for one in asked_documents(programme) if not for_all(one)]
    if settlement.case_id is None or settlement.status is not SettlementStatus.RETURNED:
        return own
    last = (
        await ReviewDecision.filter(case_id=settlement.case_id, verdict=Verdict.RETURNED)
        .order_by("-id")
        .first()
    )
    named = frozenset() if last is None else frozenset(last.fields_returned)
    carried = [one for one in carried_documents(programme) if one.code in named]
    groups = {group for one in own if one.code in named for group in one.groups}
    chosen = [one for one in own if one.code in named or not groups.isdisjoint(one.groups)]
    return [*chosen, *carried] if chosen or carried else own


async def keep(
    application: SettlementApplication,
    settlements: Mapping[int, tuple[Settlement, Programme]],
    programme: Programme,
    hand_ins: Sequence[ForOrder],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Keep what is handed in; of one document and order the last one counts.

    ``settlements`` are those that may still be changed, by their order. Raises ``FilesUnknown``,
    :class:`PaperNotAsked`.
    """
    grouped: dict[tuple[int | None, str], list[SettlementPaper]] = {}
    for one in hand_ins:
        settlement, terms = settlements.get(one.order_id or 0, (None, programme))
        known = [document for document in asked_documents(terms) if for_all(document)]
        if settlement is not None:
            known = await opened(settlement, terms)
        missing = one.order_id is not None and settlement is None
        if missing or one.paper.code not in {document.code for document in known}:
            raise PaperNotAsked(clause=programme.settlement.article, paper=one.paper.code)
        stored = await files.own_files(one.paper.file_ids, actor=actor)
        row = SettlementPaper(
            application_id=application.id,
            settlement_id=None if settlement is None else settlement.id,
            code=one.paper.code,
            files=[file.id for file in stored],
            number=one.paper.number,
            amount_fen=one.paper.amount_fen,
            dated=one.paper.dated,
            payer=one.paper.payer,
            payee=one.paper.payee,
            handed_at=now,
        )
        grouped.setdefault((row.settlement_id, row.code), []).append(row)
    for (settlement_id, code), rows in grouped.items():
        earlier = SettlementPaper.filter(
            application_id=application.id, settlement_id=settlement_id, code=code
        )
        await earlier.filter(withdrawn_at=None).update(withdrawn_at=now)
        # Without files nothing takes its place.
        await SettlementPaper.bulk_create([row for row in rows if row.files])


async def of(application_id: int, settlement_id: int | None) -> list[SettlementPaper]:
    """What was handed in and counts, for one settlement or, without one, for all of them."""
    found = SettlementPaper.filter(application_id=application_id, settlement_id=settlement_id)
    return await found.filter(withdrawn_at=None).order_by("id")


async def attach(
    rows: Sequence[SettlementPaper], subject: str, programme: Programme, *, now: datetime
) -> None:
    """Hang the files of papers on what they are handed in with, for good. Raises ``FileUnacceptable``."""
    for row in rows:
        stored = {file.id: file for file in await StoredFile.filter(id__in=row.files)}
        handed = [stored[one] for one in row.files]
        await files.attach(handed, subject, row.code, programme=programme, now=now)


async def count_numbers(
    order: Order,
    programme: Programme,
    rows: Sequence[SettlementPaper],
    documents: Collection[Document],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Let the numbers of a settlement's own invoices and receipts count once. Raises ``PaperUsedBefore``."""
    checked = {one.code: one for one in documents if one.kind in CHECKED}
    if not checked:
        return
    marks = {}
    for row in rows:
        document = checked.get(row.code)
        mark = None if document is None else mark_of(document.kind, row.number)
        if document is not None and mark is not None:
            marks[mark_kind(document.kind).value, mark] = document
    move = Move(
        order=order,
        step=step_of(programme),
        programme=programme,
        party=Party.PROVIDER,
        actor=actor,
        now=now,
        papers={code: tuple(paper(row) for row in rows if row.code == code) for code in checked},
    )
    await invoices.mark_once(move, marks, also=frozenset(checked))


def paper(row: SettlementPaper) -> Paper:
    """A row as the checks of papers know one; its files are not looked into."""
    return Paper(
        code=row.code,
        files=(),
        number=row.number,
        amount_fen=row.amount_fen,
        dated=row.dated,
        payer=row.payer,
        payee=row.payee,
    )


def shown(row: SettlementPaper) -> Shown:
    """What a paper shows, for the rules."""
    return invoices.shown(paper(row))
