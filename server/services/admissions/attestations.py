"""Attestations: the lines of official lists and checked papers, and the labels that follow from them.

What is written here has no effect by itself: ``services/admissions/labels.py`` settles what it does to
standings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from tortoise.expressions import Q

from server import texts
from server.clock import CHINA
from server.errors import Refusal
from server.models.labels import AttestedLabel, LabelSource
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.programme.people import Label
from server.programme.registry import Programmes
from server.programme.vocabulary import Actor as ProgrammeActor
from server.programme.vocabulary import Party
from server.rules.eligibility import label_valid
from server.rules.facts import HeldLabel
from server.services.access import Actor
from server.services.clocks import ProgrammeClocks
from server.services.tables.cells import name_of, plain


class LabelNotListed(Refusal):
    """A claimed label that its official list does not show: no paper outweighs the list."""

    status, code = 409, "label_not_listed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one line of a list says: who holds which label, since when, until when.

    ``uscc`` or ``name`` is given, or both. ``valid_until`` is the last day; ``None``: no end.
    """

    uscc: str | None
    name: str = ""
    code: str
    kinds: tuple[str, ...] = field(default=())
    recognised_in: int | None = None
    valid_until: date | None = None

    @property
    def holder(self) -> tuple[str | None, str, str]:
        """Whom a list names once for one label."""
        return (self.uscc, "" if self.uscc else self.name, self.code)


def stated(row: AttestedLabel) -> Statement:
    """The statement that a row keeps."""
    return Statement(
        uscc=row.uscc,
        name=row.name,
        code=row.code,
        kinds=tuple(row.kinds),
        recognised_in=row.recognised_in,
        valid_until=row.valid_until,
    )


def naming(organisation: Organisation) -> Q:
    """The rows that name an organisation: by its code, or by its full name where the list has no code."""
    by_name = Q(uscc__isnull=True, name=name_of(plain(organisation.name)))
    return (Q(uscc=organisation.uscc) | by_name) & Q(withdrawn_at__isnull=True)


async def labels_of(organisation: Organisation) -> tuple[HeldLabel, ...]:
    """What lists and papers say of an organisation, those that have run out included."""
    rows = await AttestedLabel.filter(naming(organisation)).values_list(
        "code", "recognised_in", "valid_until"
    )
    return tuple(
        HeldLabel(code=code, recognised_in=recognised_in, valid_until=valid_until)
        for code, recognised_in, valid_until in rows
    )


def codes_held(
    labels: Iterable[HeldLabel], programmes: Iterable[Programme], clocks: ProgrammeClocks
) -> list[str]:
    """The codes that count today in at least one programme that knows them, sorted (GZ-07).

    A cohort whose validity a programme extends is held until the end of the extension.
    """
    held: set[str] = set()
    labels = tuple(labels)
    for programme in programmes:
        known = {label.code for label in programme.labels}
        today = clocks.now(programme.slug).astimezone(CHINA).date()
        held |= {one.code for one in labels if one.code in known and label_valid(programme, one, today)}
    return sorted(held)


async def refresh(organisation: Organisation, programmes: Programmes, clocks: ProgrammeClocks) -> bool:
    """Derive an organisation's labels anew, under its lock; whether they changed."""
    codes = codes_held(await labels_of(organisation), programmes, clocks)
    if codes == organisation.labels:
        return False
    await Organisation.filter(id=organisation.id).update(labels=codes)
    organisation.labels = codes
    return True


async def confirm_on_paper(
    organisation: Organisation, programme: Programme, codes: Collection[str], *, actor: Actor, now: datetime
) -> None:
    """A reviewer has checked papers for exactly these labels of the programme; under the organisation's lock.

    What a list says needs no paper, and stays whatever a reviewer says. Papers of the programme's other
    labels count no more. Raises :class:`LabelNotListed` for a label whose official list names others, but
    not this organisation; labels that the operator itself attests rest on papers alone.
    """
    new, on_paper = await _to_confirm(organisation, programme, codes)
    gone = [row.id for code, row in on_paper.items() if code not in codes]
    await withdraw_rows(gone, reason=texts.LABEL_SOURCES["not_confirmed"], actor=actor, now=now)
    await write(
        [Statement(uscc=organisation.uscc, name=organisation.name, code=code) for code in new],
        LabelSource.PAPER,
        programme_slug=programme.slug,
        actor=actor,
        now=now,
    )


async def require_confirmable(
    organisation: Organisation, programme: Programme, codes: Collection[str]
) -> None:
    """Raise what :func:`confirm_on_paper` would raise of these labels of the programme."""
    await _to_confirm(organisation, programme, codes)


async def _to_confirm(
    organisation: Organisation, programme: Programme, codes: Collection[str]
) -> tuple[list[str], dict[str, AttestedLabel]]:
    """What a paper attests that nothing did before, and what papers do. Raises :class:`LabelNotListed`."""
    known = {label.code: label for label in programme.labels if label.of is Party.ENTERPRISE}
    rows = await AttestedLabel.filter(naming(organisation), code__in=list(known))
    listed = {row.code for row in rows if row.source is LabelSource.LIST}
    on_paper = {row.code: row for row in rows if row.source is LabelSource.PAPER}
    new = sorted({*codes} - listed - on_paper.keys())
    await _require_no_list(
        [known[code] for code in new if known[code].attested_by is not ProgrammeActor.OPERATOR]
    )
    return new, on_paper


async def write(
    statements: Iterable[Statement],
    source: LabelSource,
    *,
    programme_slug: str | None,
    list_name: str = "",
    document_number: str = "",
    actor: Actor,
    now: datetime,
) -> None:
    """Keep what a source says. The table's own guard refuses a second line for one holder and label."""
    await AttestedLabel.bulk_create(
        [
            AttestedLabel(
                uscc=one.uscc,
                name=one.name,
                programme_slug=programme_slug,
                code=one.code,
                kinds=list(one.kinds),
                recognised_in=one.recognised_in,
                valid_until=one.valid_until,
                source=source,
                list_name=list_name,
                document_number=document_number,
                attested_by=actor.id,
                attested_at=now,
            )
            for one in statements
        ],
        batch_size=500,
    )


async def withdraw_rows(ids: Sequence[int], *, reason: str, actor: Actor, now: datetime) -> int:
    """Let lines count no more; returns how many still did."""
    withdrawn = 0
    for start in range(0, len(ids), 500):
        withdrawn += await AttestedLabel.filter(
            id__in=list(ids[start : start + 500]), withdrawn_at__isnull=True
        ).update(withdrawn_at=now, withdrawn_by=actor.id, withdraw_reason=reason)
    return withdrawn


async def lists_of(codes: Collection[str]) -> dict[str, list[str]]:
    """The official lists that are in force for each of these labels, by the label's code."""
    if not codes:
        return {}
    rows = (
        await AttestedLabel.filter(code__in=list(codes), source=LabelSource.LIST, withdrawn_at__isnull=True)
        .distinct()
        .values_list("code", "list_name")
    )
    lists: dict[str, list[str]] = {}
    for code, name in sorted(rows):
        lists.setdefault(code, []).append(name)
    return lists


async def _require_no_list(labels: Sequence[Label]) -> None:
    lists = await lists_of([label.code for label in labels])
    forged = [label for label in labels if label.code in lists]
    if forged:
        raise LabelNotListed(
            clause=forged[0].article,
            names=texts.LIST.join(label.name for label in forged),
            lists=texts.LIST.join(dict.fromkeys(name for label in forged for name in lists[label.code])),
        )
