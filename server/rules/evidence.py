"""Evidence: which papers are still missing, and what is wrong with the ones handed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from server import texts
from server.errors import Unmet
from server.programme.model import Programme
from server.programme.papers import Document, Field, FileRules
from server.programme.vocabulary import LegalForm
from server.rules.deadlines import in_service_window

PDF = "pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """One document somebody handed in, as a reviewer or a reader of documents sees it."""

    code: str
    count: int = 1
    dated: date | None = None
    sealed: bool = False
    hand_signed: bool = False
    names_match: bool = False
    filled: frozenset[str] = frozenset()
    """The codes of the fields it shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """A file as it arrived. ``pages`` counts the loose pages or pictures the material came in."""

    extension: str
    size_bytes: int
    pages: int = 1


def papers_missing(
    documents: Sequence[Document],
    handed: Iterable[Handed],
    *,
    legal_form: LegalForm | None = None,
    services: frozenset[str] = frozenset(),
    ranged: bool = False,
) -> tuple[Unmet, ...]:
    """Every document that is still missing, or there too few or too many times.

    Documents of a group stand in for each other. ``services`` are the kinds of service in question,
    ``ranged`` says that the offering has several parts or a price range. What is carried over from an
    earlier step is not asked for again.
    """
    counts = {one.code: one.count for one in handed}
    asked = [
        document
        for document in documents
        if not document.carried_over
        and (not document.legal_forms or legal_form is None or legal_form in document.legal_forms)
        and (not document.for_services or document.for_services in services)
    ]
    return (*_groups_missing(asked, counts), *_counts_wrong(asked, counts, ranged))


def _groups_missing(asked: Sequence[Document], counts: Mapping[str, int]) -> Iterable[Unmet]:
    for group in dict.fromkeys(group for document in asked for group in document.groups):
        members = [document for document in asked if group in document.groups]
        if not any(counts.get(document.code) for document in members):
            names = texts.LIST.join(document.name for document in members)
            yield Unmet(group, members[0].article, texts.PAPERS["one_of"].format(names=names))


def _counts_wrong(asked: Sequence[Document], counts: Mapping[str, int], ranged: bool) -> Iterable[Unmet]:
    for document in asked:
        count = counts.get(document.code, 0)
        least = document.minimum
        if ranged and document.minimum_ranged is not None:
            least = document.minimum_ranged
        owed = document.required and not document.groups
        if count < least and (owed or count):
            message = texts.PAPERS["missing"].format(name=document.name)
            yield Unmet(document.code, document.article, message, f"{count} < {least}")
        if document.maximum is not None and count > document.maximum:
            message = texts.PAPERS["too_many"].format(name=document.name)
            yield Unmet(document.code, document.article, message, f"{count} > {document.maximum}")


def paper_faults(programme: Programme, document: Document, handed: Handed, on: date) -> tuple[Unmet, ...]:
    """Everything wrong with a document handed in on a day: seal, signature, date, names, fields."""
    dated = handed.dated
    checks = (
        ("sealed", document.sealed, handed.sealed),
        ("hand_signed", document.hand_signed, handed.hand_signed),
        ("names_match", document.names_match, handed.names_match),
        ("dated_this_year", document.dated_this_year, dated is not None and dated.year == on.year),
        (
            "in_service_window",
            document.in_service_window,
            dated is not None and in_service_window(programme, dated),
        ),
    )
    faults = [
        Unmet(fault, document.article, texts.PAPERS[fault].format(name=document.name))
        for fault, asked, fulfilled in checks
        if asked and not fulfilled
    ]
    return (*faults, *fields_missing(document.fields, handed.filled, clause=document.article))


def fields_missing(fields: Sequence[Field], filled: frozenset[str], *, clause: str = "") -> tuple[Unmet, ...]:
    """Every required field of a form that is not filled in; an incomplete form supports no decision."""
    return tuple(
        Unmet(field.code, field.article or clause, texts.PAPERS["field"].format(name=field.name))
        for field in fields
        if field.required and field.code not in filled
    )


def file_faults(rules: FileRules, file: UploadedFile) -> tuple[Unmet, ...]:
    """Everything wrong with an uploaded file: its format, its size, loose pages (GZ-76 to GZ-78)."""
    faults = []
    extension = file.extension.lower()
    if extension not in rules.extensions:
        wanted = texts.LIST.join(sorted(rules.extensions))
        faults.append(Unmet("extension", rules.article, texts.PAPERS["extension"].format(wanted=wanted)))
    if file.size_bytes > rules.max_bytes:
        arithmetic = f"{file.size_bytes:,} > {rules.max_bytes:,}"
        faults.append(Unmet("size", rules.article, texts.PAPERS["size"], arithmetic))
    if rules.single_pdf and file.pages > 1 and extension != PDF:
        faults.append(Unmet("single_pdf", rules.article, texts.PAPERS["single_pdf"]))
    return tuple(faults)
