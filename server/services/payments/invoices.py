"""Invoices and receipts: compared with order, contract and window, and each counted once.

``check_papers`` and ``register_papers`` serve every step whose documents hold an invoice or a receipt,
whatever kind of step it is. A number that stands as evidence for one order stands for no other, in no
programme and no year: the table's own guard decides, and the earlier order is named. The numbers of summary
invoices stand in the same table: what an authority is asked to pay by is no order's invoice as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from server import texts
from server.errors import Refusal, Unmet
from server.models.payments import OwnPayment, PaperMark
from server.programme.money import DeductionBase
from server.programme.papers import AmountRule, Document, DocumentKind
from server.programme.steps import StepKind
from server.rules.deadlines import day_of
from server.rules.invoice_checks import CHECKED, Shown, mark_kind, mark_of, papers_unmet
from server.rules.own_payments import RECEIPTS, PaymentMethod, PaymentPurpose, PaymentStatus, purpose_of
from server.services.payments import escrows
from server.services.payments.paper_terms import wanted_of
from server.services.step_work import Move, Paper
from server.units import share

WANTED, UNRELATED = "voucher_fen", "unrelated_fen"
"""The fields in which a step says what the voucher shall pay, and what on the invoice it may not."""


class PaperUsedBefore(Refusal):
    """The invoice or receipt stands as evidence for another order, or another step, already."""

    status, code = 409, "paper_used_before"


class PaperIsSummaryInvoice(Refusal):
    """The invoice was handed to the authority as the summary invoice of a batch of payments."""

    status, code = 409, "paper_is_summary_invoice"


async def check_papers(move: Move) -> tuple[Unmet, ...]:
    """Everything wrong with the invoices and receipts handed in with a step; () where it asks for none."""
    invoiced_fen = _invoiced_fen(move)
    terms = await wanted_of(
        move.order,
        move.programme,
        move.step,
        invoiced_fen=invoiced_fen,
        voucher_fen=_voucher_fen(move, invoiced_fen),
    )
    today = day_of(move.now)
    faults: list[Unmet] = []
    for code, wanted in terms.items():
        papers = move.papers.get(code, ())
        faults += papers_unmet(wanted, [shown(paper) for paper in papers], today)
        for paper in papers:
            faults += await _used_unmet(move, wanted.document, paper.number)
    return tuple(dict.fromkeys(faults))


async def register_papers(move: Move) -> Mapping[str, Any]:
    """Count the numbers of the papers handed in, and record what their receipts show was paid.

    Call it in the step's transaction, once nothing stands against it; returns the columns of the order
    that change. What was handed in with the same step before is replaced. Raises :class:`PaperUsedBefore`
    and :class:`PaperIsSummaryInvoice`.
    """
    # Only what is handed in now: the other side of a step may have handed in its part before.
    documents = [one for one in move.step.documents if one.kind in CHECKED and one.code in move.papers]
    if not documents:
        return {}
    await _mark(move, documents)
    for document in documents:
        if document.kind in RECEIPTS:
            await record_receipts(move, document.code, move.papers.get(document.code, ()))
    invoiced_fen = _invoiced_fen(move)
    return {} if invoiced_fen is None else {"invoice_fen": invoiced_fen}


async def record_receipts(move: Move, code: str, papers: Sequence[Paper]) -> None:
    """Write down what receipts show was paid with this step, in place of what an earlier try showed."""
    order, purpose = move.order, purpose_of(move.step)
    await OwnPayment.filter(
        order_id=order.id,
        step=move.step.kind,
        code=code,
        method=PaymentMethod.TRANSFER,
        status=PaymentStatus.PAID,
    ).update(status=PaymentStatus.REPLACED)
    for paper in papers:
        await OwnPayment.create(
            order_id=order.id,
            programme_slug=order.programme_slug,
            purpose=purpose,
            method=PaymentMethod.TRANSFER,
            status=PaymentStatus.PAID,
            amount_fen=paper.amount_fen,
            payer=paper.payer,
            payee=paper.payee,
            step=move.step.kind,
            code=code,
            paid_on=paper.dated,
            bank_reference=paper.number.strip(),
            created_by=move.actor.name,
            created_at=move.now,
            settled_at=move.now,
        )
    if purpose is PaymentPurpose.ESCROW:
        await escrows.level(order, now=move.now)


async def mark_once(
    move: Move, marks: Mapping[tuple[str, str], Document], *, also: frozenset[str] = frozenset()
) -> None:
    """Take numbers for this step, (kind, mark) by (kind, mark); those it took before and dropped are free.

    ``also`` are codes of documents it took numbers for besides. Raises :class:`PaperUsedBefore` and
    :class:`PaperIsSummaryInvoice`.
    """
    order = move.order
    codes = {document.code for document in marks.values()} | also
    mine = await PaperMark.filter(order_id=order.id, step=move.step.kind, code__in=sorted(codes))
    dropped = [one.id for one in mine if (one.kind.value, one.mark) not in marks]
    if dropped:
        await PaperMark.filter(id__in=dropped).delete()
    # In one order, so that two who bring the same papers wait for each other and not around in a circle.
    rows = [
        PaperMark(
            kind=kind,
            mark=mark,
            order_id=order.id,
            step=move.step.kind,
            code=document.code,
            marked_at=move.now,
        )
        for (kind, mark), document in sorted(marks.items(), key=lambda item: item[0])
    ]
    if not rows:
        return
    # Whoever takes the same number at the same moment waits here, and then finds it taken.
    await PaperMark.bulk_create(rows, ignore_conflicts=True)
    for row in rows:
        taken = await _taken(row)
        if (taken.order_id, taken.step, taken.code) != (order.id, move.step.kind, row.code):
            document = marks[row.kind, row.mark]
            raise _used(taken, document, document.article or move.step.article)


async def free_numbers(order_id: int, step: StepKind, codes: Collection[str]) -> None:
    """Let go of the numbers that a step of an order took for these documents: they may count elsewhere."""
    await PaperMark.filter(order_id=order_id, step=step, code__in=sorted(codes)).delete()


def shown(paper: Paper) -> Shown:
    """What a paper shows, for the rules."""
    return Shown(
        number=paper.number,
        amount_fen=paper.amount_fen,
        dated=paper.dated,
        payer=paper.payer,
        payee=paper.payee,
    )


async def _mark(move: Move, documents: Sequence[Document]) -> None:
    marks: dict[tuple[str, str], Document] = {}
    for document in documents:
        for paper in move.papers.get(document.code, ()):
            mark = mark_of(document.kind, paper.number)
            assert mark is not None, "checked before"
            marks[mark_kind(document.kind).value, mark] = document
    await mark_once(move, marks, also=frozenset(document.code for document in documents))


def _used(taken: PaperMark, document: Document, clause: str) -> Refusal:
    if taken.order is None:
        return PaperIsSummaryInvoice(clause=clause, name=document.name)
    return PaperUsedBefore(clause=clause, name=document.name, order=taken.order.number)


async def _taken(row: PaperMark) -> PaperMark:
    """Who has a number now; taken once more where its last holder has just let go of it."""
    while True:
        taken = await PaperMark.get_or_none(kind=row.kind, mark=row.mark).select_related("order")
        if taken is not None:
            return taken
        await PaperMark.bulk_create([row], ignore_conflicts=True)


async def _used_unmet(move: Move, document: Document, number: str) -> list[Unmet]:
    mark = mark_of(document.kind, number)
    if mark is None:
        return []
    taken = await PaperMark.get_or_none(kind=mark_kind(document.kind), mark=mark).select_related("order")
    if taken is None or (taken.order_id, taken.step, taken.code) == (
        move.order.id,
        move.step.kind,
        document.code,
    ):
        return []
    used = _used(taken, document, document.article or move.step.article)
    message = texts.sentence(used)
    return [Unmet(f"{document.code}_used_before", used.clause, message)]


def _voucher_fen(move: Move, invoiced_fen: int | None) -> int:
    """What the voucher pays at most by what is handed in: on a smaller invoice less than was held (GZ-72)."""
    order = move.order
    rule = move.programme.deduction_for(order.category)
    most_fen: list[int] = [order.voucher_fen]
    if invoiced_fen is not None and rule.base is DeductionBase.INVOICE:
        unrelated_fen = move.values.get(UNRELATED) or order.unrelated_fen
        most_fen.append(share(max(0, invoiced_fen - unrelated_fen), rule.rate_bp))
    if move.values.get(WANTED):
        most_fen.append(int(move.values[WANTED]))
    return min(most_fen)


def _invoiced_fen(move: Move) -> int | None:
    """What the invoices over the full price, handed in with this step, come to, fen."""
    amounts = [
        paper.amount_fen
        for document in move.step.documents
        if document.kind is DocumentKind.INVOICE and document.amount is AmountRule.FULL_PRICE
        for paper in move.papers.get(document.code, ())
    ]
    return sum(one or 0 for one in amounts) or None
