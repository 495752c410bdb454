"""Inspection forms (YC-42 to YC-45): filled in on the phone or on paper, kept whole with the case.

What is signed on paper is shown by the paper, what is signed on the phone by a picture each. A form that is
incomplete, unsigned or says no supports no pass. Every filling is kept; the last one counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal, Unmet
from server.models.review_papers import InspectionForm
from server.models.reviews import ReviewCase
from server.programme.papers import Field, FieldKind
from server.programme.registry import Programmes
from server.programme.review import Form, ReviewStep
from server.rules.deadlines import day_of
from server.rules.evidence import fields_missing
from server.rules.forms import SEALED_KINDS, field_faults, mask
from server.sealing import Sealer
from server.services import journal
from server.services.access import Actor, NotFound
from server.services.clocks import ProgrammeClocks
from server.services.files import files
from server.services.reviews.recusals import require_say
from server.services.reviews.review_cases import step_of
from server.services.reviews.review_turns import not_yours, require_open
from server.services.reviews.reviewed import Reviewed
from server.services.reviews.reviewers import case_for, require_impartial, reviewer_of

SIGNED = frozenset({FieldKind.SIGNATURE, FieldKind.SEAL})
DECISION = "decision"
"""The field that says whether the inspected passes; its first choice is yes."""


class InspectionValuesUnusable(Refusal):
    """A field the form does not have, or a value it cannot hold; ``unmet`` names each."""

    status, code = 422, "inspection_values_unusable"


class FormNoSupport(Refusal):
    """No form, an incomplete or unsigned one, or one that says no: it supports no pass."""

    status, code = 409, "form_no_support"


class NoFormHere(Refusal):
    """The step asks for no form."""

    status, code = 409, "no_form_here"


@dataclass(frozen=True, slots=True)
class FilledForm:
    """A form of a case as a reviewer sees it, numbers masked."""

    row: InspectionForm
    form: Form
    values: Mapping[str, Any]


class InspectionForms:
    """The verbs on forms of inspectors. ``reviewed`` knows what a case is about, and so whom it concerns."""

    def __init__(
        self,
        programmes: Programmes,
        clocks: ProgrammeClocks,
        sealer: Sealer,
        *,
        reviewed: Callable[[ReviewCase], Reviewed],
    ) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self.sealer = sealer
        self._reviewed = reviewed

    async def fill(
        self, case_id: int, values: Mapping[str, Any], *, paper_id: int | None, actor: Actor
    ) -> InspectionForm:
        """Keep a form for the step a case stands at, by whoever's turn it is, complete or not.

        A signature or seal is ``True`` where it stands on the paper, or the file with its picture. Raises
        ``NotFound``, ``ReviewNotOpen``, ``ReviewOver``, ``NotYourReview``, ``OwnReview``,
        :class:`NoFormHere`, :class:`InspectionValuesUnusable` and ``FilesUnknown``.
        """
        reviewer = await reviewer_of(actor)
        case = await case_for(reviewer, case_id)
        require_open(case)
        await require_impartial(reviewer, case, self._reviewed(case))
        await require_say(case.id, reviewer.id)
        if case.turn not in reviewer.roles_in(case):
            raise not_yours(case)
        form, now = self._form(case), self.clocks.now(case.programme_slug)
        _require_usable(form, values, day_of(now))
        signed = {one.code: values.get(one.code) for one in form.fields if one.kind in SIGNED}
        pictures = [int(one) for one in signed.values() if type(one) is int]
        papers = await files.own_files([*pictures, *([] if paper_id is None else [paper_id])], actor=actor)
        on_paper = {code for code, value in signed.items() if value is True}
        unsigned = on_paper if paper_id is None else set()
        filled = (
            frozenset(code for code, value in values.items() if value not in (None, "", False)) - unsigned
        )
        missing = fields_missing(form.fields, filled, clause=form.article)
        text = json.dumps(dict(values), ensure_ascii=False, sort_keys=True)
        programme = self.programmes.version(case.programme_slug, case.programme_version)
        async with in_transaction():
            made = await InspectionForm.create(
                case_id=case.id,
                place=case.place,
                code=form.code,
                sealed_values=self.sealer.seal(text),
                values_hash=sha256(text.encode()).hexdigest(),
                paper_id=paper_id,
                missing=[one.code for one in missing],
                passes=_passes(form, values),
                filled_by=reviewer.id,
                filled_at=now,
            )
            await files.attach(papers, f"review:{case.id}", form.code, programme=programme, now=now)
            await journal.record(
                "review.form_filled",
                f"review:{case.id}",
                actor=actor.name,
                at=now,
                programme_slug=case.programme_slug,
                form=form.code,
                missing=made.missing,
                values_hash=made.values_hash,
            )
        return made

    async def shown(self, case: ReviewCase) -> FilledForm | None:
        """The last form of a case that was filled in, numbers masked."""
        row = await InspectionForm.filter(case_id=case.id).order_by("-id").first()
        if row is None:
            return None
        form = self._named(case, row.code)
        values = json.loads(self.sealer.open(row.sealed_values))
        hidden = {one.code for one in form.fields if one.kind in SEALED_KINDS}
        shown = {code: mask(str(value)) if code in hidden else value for code, value in values.items()}
        return FilledForm(row, form, shown)

    async def unveil(self, case: ReviewCase, field: str) -> str | None:
        """What stands behind a masked value of the last form."""
        row = await InspectionForm.filter(case_id=case.id).order_by("-id").first()
        value = None if row is None else json.loads(self.sealer.open(row.sealed_values)).get(field)
        return None if value is None else str(value)

    def _form(self, case: ReviewCase) -> Form:
        step = step_of(case)
        if step is None or not step.form:
            raise NoFormHere(clause="" if step is None else step.article)
        return self._named(case, step.form)

    def _named(self, case: ReviewCase, code: str) -> Form:
        programme = self.programmes.version(case.programme_slug, case.programme_version)
        form = next((one for one in programme.forms if one.code == code), None)
        if form is None:
            raise NotFound()
        return form


def _require_usable(form: Form, values: Mapping[str, Any], today: Any) -> None:
    known = {one.code: one for one in form.fields}
    faults: list[Unmet] = [
        Unmet(code, form.article, texts.PAPERS["field"].format(name=code))
        for code in values
        if code not in known
    ]
    for code, asked in known.items():
        if code in values and asked.kind not in SIGNED and values[code] not in (None, ""):
            faults += field_faults(asked, values[code], today)
        elif code in values and asked.kind in SIGNED and type(values[code]) not in (bool, int):
            faults.append(_unsigned(asked, form))
    if faults:
        raise InspectionValuesUnusable(clause=form.article, unmet=faults, count=len(faults))


def _unsigned(asked: Field, form: Form) -> Unmet:
    return Unmet(asked.code, asked.article or form.article, texts.PAPERS["field"].format(name=asked.name))


def _passes(form: Form, values: Mapping[str, Any]) -> bool | None:
    asked = next((one for one in form.fields if one.code == DECISION), None)
    if asked is None or DECISION not in values:
        return None
    return bool(values[DECISION] == asked.choices[0])


async def require_support(case: ReviewCase, step: ReviewStep, place: int) -> None:
    """Raise :class:`FormNoSupport` where a step asks for a form and the last one supports no pass."""
    if not step.form:
        return
    row = await InspectionForm.filter(case_id=case.id, place=place).order_by("-id").first()
    if row is None:
        lacking = texts.FORM_NONE
    elif row.missing:
        lacking = texts.FORM_LACKS.format(count=len(row.missing))
    elif row.passes is False:
        lacking = texts.FORM_SAYS_NO
    else:
        return
    raise FormNoSupport(clause=step.article, step=step.name, missing=lacking)
