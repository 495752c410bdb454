"""Offering drafts: writing one product of a provider, item by item, over days and devices.

Nothing typed is thrown away because something else is wrong: a saving keeps what it can keep and says what
is not right yet; only handing in (``services/marketplace/offerings.py``) is refused until everything is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal, Unmet
from server.models.journal import JournalEntry
from server.models.offerings import Offering
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.rules import offering_form
from server.rules.deadlines import day_of
from server.rules.forms import DOCUMENTS
from server.rules.lifecycles import ProviderAct
from server.rules.offering_form import Content, columns_of, content_of, names_of
from server.rules.offerings import DraftStatus
from server.services import access, allowances
from server.services.access import Actor
from server.services.admissions.admissions import FormItemsUnknown
from server.services.admissions.drafts import (
    FormItemsShut,
    FormValuesUnusable,
    moved_on,
    name_of,
    require_papers,
)
from server.services.admissions.recognitions import recognised_kinds
from server.services.budgets.annual_notices import AnnualNotices
from server.services.clocks import ProgrammeClocks
from server.services.marketplace.offering_book import change, note, own
from server.services.organisations.memberships import lock
from server.services.providers.provider_standing import require_provider

SAVED = "offering.saved"


class OfferingUnderReview(Refusal):
    """The offering has been handed in; it opens again when it is returned, decided or taken back."""

    status, code = 409, "offering_under_review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What somebody has just written. What is left out stays; ``None`` takes a value out.

    ``about`` holds columns of the content (``category``, ``price_from_fen`` …), the whole of each.
    """

    about: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, bool | int | str | None] = field(default_factory=dict)
    documents: Mapping[str, Collection[int]] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every item that is touched, as a return would name it."""
        about = ("price" if name.startswith("price") else name for name in self.about)
        return tuple(
            dict.fromkeys(
                (
                    *(f"about.{name}" for name in about),
                    *self.values,
                    *(f"{DOCUMENTS}.{code}" for code in self.documents),
                )
            )
        )


@dataclass(frozen=True, slots=True)
class OfferingDraft:
    """An offering as its provider writes it, with everything that is not right yet."""

    offering: Offering
    programme: Programme
    content: Content
    faults: tuple[Unmet, ...]
    missing: tuple[Unmet, ...]
    saved_by: str


class OfferingDrafts:
    """The verbs on what is being written. Days and instants are those of the programme's clock."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, yearly: AnnualNotices) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self.yearly = yearly

    async def begin(self, slug: str, writing: Writing, *, actor: Actor) -> OfferingDraft:
        """Begin a new offering of an admitted provider.

        Raises ``UnknownProgramme``, ``NotInStanding``, ``TooManyToday``, ``FormItemsUnknown``,
        ``FormValuesUnusable`` and ``FilesUnknown``.
        """
        programme, now = self.programmes.get(slug), self.clocks.now(slug)
        _require_known(programme, writing)
        provider_id = access.organisation_id_of(actor)
        await require_papers(programme.offering.documents, writing.documents, provider_id, by=actor.name)
        async with in_transaction():
            provider = await lock(provider_id)
            await require_provider(programme, provider, ProviderAct.PUBLISH, now=now)
            begun = Offering.filter(provider_id=provider.id, programme_slug=slug)
            await allowances.require(begun, "created_at", allowances.OFFERINGS, now=now)
            offering = await Offering.create(
                programme_slug=slug,
                provider=provider,
                draft=columns_of(_merged(Content(), writing)),
                version=1,
                created_at=now,
                saved_at=now,
                saved_by=actor.id,
            )
            await note("offering.begun", offering, actor=actor, now=now, items=sorted(writing.keys))
        return await self.shown(await Offering.get(id=offering.id).select_related("provider"))

    async def write(self, offering_id: int, writing: Writing, *, version: int, actor: Actor) -> OfferingDraft:
        """Save some items. What is listed stays listed as it is.

        Raises ``NotFound``, ``FormItemsUnknown``, ``FormValuesUnusable``, ``FilesUnknown``,
        ``DraftMovedOn``, :class:`OfferingUnderReview`, ``FormItemsShut`` and ``TooManyToday``.
        """
        offering = await own(offering_id, actor=actor)
        programme, now = (
            self.programmes.get(offering.programme_slug),
            self.clocks.now(offering.programme_slug),
        )
        _require_known(programme, writing)
        documents = programme.offering.documents
        await require_papers(documents, writing.documents, offering.provider_id, by=actor.name)
        async with in_transaction():
            await lock(offering.provider_id)
            offering = await own(offering_id, actor=actor)
            await require_writable(offering, version)
            _require_open(programme, offering, writing.keys)
            saved = JournalEntry.filter(subject=f"offering:{offering.id}", action=SAVED)
            await allowances.require(saved, "at", allowances.SAVINGS, now=now)
            is_returned = offering.draft_status is DraftStatus.RETURNED
            offering = await change(
                offering,
                draft=columns_of(_merged(content_of(offering.draft), writing)),
                draft_status=DraftStatus.RETURNED if is_returned else DraftStatus.OPEN,
                version=version + 1,
                saved_at=now,
                saved_by=actor.id,
            )
            await note(SAVED, offering, actor=actor, now=now, items=sorted(writing.keys))
        return await self.shown(offering)

    async def shown(self, offering: Offering) -> OfferingDraft:
        """An offering as its provider sees it."""
        programme = self.programmes.get(offering.programme_slug)
        content = content_of(offering.draft)
        return OfferingDraft(
            offering,
            programme,
            content,
            await self.faults(programme, content, offering.provider),
            offering_form.missing(programme, content),
            await name_of(offering.saved_by),
        )

    async def faults(
        self, programme: Programme, content: Content, provider: Organisation
    ) -> tuple[Unmet, ...]:
        """What is wrong with what has been written."""
        now = self.clocks.now(programme.slug)
        return await content_faults(self.yearly, programme, content, provider, now=now)


async def content_faults(
    yearly: AnnualNotices, programme: Programme, content: Content, provider: Organisation, *, now: datetime
) -> tuple[Unmet, ...]:
    """What is wrong with a content at an instant, by the text and the notice of its year."""
    recognised = await recognised_kinds(programme, provider, now=now)
    announced = yearly.scoped(programme, day_of(now))
    return offering_form.faults(announced, content, day_of(now), recognised=recognised)


async def require_writable(offering: Offering, version: int) -> None:
    """Raise :class:`OfferingUnderReview` or ``DraftMovedOn`` unless it stands as it was looked at."""
    if offering.draft_status is DraftStatus.SUBMITTED:
        raise OfferingUnderReview()
    if offering.version != version:
        raise await moved_on(offering)


def _merged(content: Content, writing: Writing) -> Content:
    columns = columns_of(content)
    values = {**columns["values"], **writing.values}
    papers = {
        **columns["documents"],
        **{code: list(dict.fromkeys(ids)) for code, ids in writing.documents.items()},
    }
    return content_of(
        {
            **columns,
            **writing.about,
            "values": {code: value for code, value in values.items() if value not in (None, "")},
            "documents": {code: ids for code, ids in papers.items() if ids},
        }
    )


def _require_known(programme: Programme, writing: Writing) -> None:
    """Raise ``FormItemsUnknown`` or ``FormValuesUnusable``, naming every item."""
    rules = programme.offering
    names = names_of(rules)
    strange = [
        Unmet(key[:60], rules.article, texts.FORM_FAULTS["unknown"].format(name=key[:60]))
        for key in writing.keys
        if key not in names
    ]
    if strange:
        raise FormItemsUnknown(unmet=strange, count=len(strange))
    fields = {one.code: one for one in offering_form.own_fields(rules)}
    unusable = [
        Unmet(code, asked.article, texts.FORM_FAULTS["kind"].format(name=asked.name))
        for code, value in writing.values.items()
        if value not in (None, "") and not offering_form.keeps(asked := fields[code], value)
    ]
    if unusable:
        raise FormValuesUnusable(clause=unusable[0].clause, unmet=unusable, count=len(unusable))


def _require_open(programme: Programme, offering: Offering, keys: Collection[str]) -> None:
    """Of what was returned, only the items that the return named may be written."""
    if offering.draft_status is not DraftStatus.RETURNED or not offering.returned:
        return
    names = names_of(programme.offering)
    shut = [
        Unmet(key, programme.offering.article, texts.FORM_FAULTS["shut"].format(name=names[key]))
        for key in keys
        if key not in offering.returned
    ]
    if shut:
        raise FormItemsShut(clause=shut[0].clause, unmet=shut, count=len(shut))
