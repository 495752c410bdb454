"""Drafts: filling in the form of a programme, item by item, over days and devices.

Nothing typed is thrown away because something else is wrong: a saving keeps what fits its field and says
what is not right yet; only handing in is refused until everything is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.clock import CHINA
from server.errors import Refusal, Unmet
from server.models.journal import JournalEntry
from server.models.offerings import Offering
from server.models.organisations import Organisation
from server.models.people import Person
from server.models.registrations import Registration, Submission
from server.programme.model import Programme
from server.programme.papers import Document, Undertaking
from server.programme.people import ConditionKind, PartyRules
from server.programme.vocabulary import Party
from server.rules.forms import (
    DOCUMENTS,
    UNDERTAKINGS,
    Filled,
    Known,
    fits,
    form_fields,
    mask,
    missing,
    names_of,
    text_of,
    value_faults,
)
from server.rules.lifecycles import RegistrationStatus
from server.sealing import Sealer
from server.services import access, allowances, journal
from server.services.access import Actor, NotFound
from server.services.admissions.admissions import open_values, require_known, sealed_keys, shown_values
from server.services.admissions.applicants import day
from server.services.admissions.assessments import assess, rules_of, size_of
from server.services.admissions.labels import Labels
from server.services.admissions.qualifications import Qualifications
from server.services.files import files
from server.services.organisations.memberships import lock

SAVED = "registration.saved"


class DraftMovedOn(Refusal):
    """Somebody saved the form on another device: ``who`` and ``when``; nothing was overwritten."""

    status, code = 409, "draft_moved_on"


class RegistrationUnderReview(Refusal):
    """The form has been handed in; it opens again when it is returned or decided."""

    status, code = 409, "registration_under_review"


class FormItemsShut(Refusal):
    """Only what was returned may be corrected; ``unmet`` names what may not."""

    status, code = 409, "form_items_shut"


class FormValuesUnusable(Refusal):
    """Values that do not fit the kind of their field; ``unmet`` names them all."""

    status, code = 422, "form_values_unusable"


class UndertakingChanged(Refusal):
    """The text that was agreed to is not the text of the programme: read it again."""

    status, code = 409, "undertaking_changed"


class OperatorCannotProvide(Refusal):
    """Whoever runs the programme takes no vouchers in it (YC-29, NX-35)."""

    status, code = 409, "operator_cannot_provide"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What somebody has just filled in. ``None`` takes an item out; what is left out stays.

    ``undertakings`` are the hashes of the texts that were shown and agreed to, by code.
    """

    values: Mapping[str, bool | int | str | None] = field(default_factory=dict)
    documents: Mapping[str, Collection[int]] = field(default_factory=dict)
    undertakings: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def keys(self) -> list[str]:
        """Every item that is touched, as a return would name it."""
        return [
            *self.values,
            *(f"{DOCUMENTS}.{code}" for code in self.documents),
            *(f"{UNDERTAKINGS}.{code}" for code in self.undertakings),
        ]


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as its people see it: personal numbers masked, and everything that is not right yet."""

    registration: Registration
    programme: Programme
    organisation: Organisation
    values: Mapping[str, Any]
    faults: tuple[Unmet, ...]
    missing: tuple[Unmet, ...]
    saved_by: str


class Drafts:
    """The verbs on forms that are being filled in. Days and instants are those of the programme's clock."""

    def __init__(self, qualifications: Qualifications, labels: Labels, sealer: Sealer) -> None:
        self.programmes = qualifications.programmes
        self.sizes = qualifications.sizes
        self.clocks = qualifications.clocks
        self.sealer = sealer
        self._labels = labels

    async def fill_in(
        self, slug: str, party: Party, changes: Changes, *, version: int, actor: Actor
    ) -> Draft:
        """Save some items of the form; 0 is the version of a form that nobody has begun.

        Raises ``UnknownProgramme``, ``FormItemsUnknown``, :class:`FormValuesUnusable`,
        :class:`UndertakingChanged`, ``FilesUnknown``, ``NotOnList``,
        :class:`OperatorCannotProvide`, :class:`DraftMovedOn`, :class:`RegistrationUnderReview`,
        :class:`FormItemsShut` and ``TooManyToday``.
        """
        programme, now = self.programmes.get(slug), self.clocks.now(slug)
        rules = rules_of(programme, party)
        require_known(rules, dict.fromkeys(changes.keys))
        accepted = _accepted(rules, changes.undertakings, actor=actor, now=now)
        organisation_id = access.organisation_id_of(actor)
        await require_papers(rules.documents, changes.documents, organisation_id, by=actor.name)
        async with in_transaction():
            organisation = await lock(organisation_id)
            draft = await self._draft(organisation, programme, party, actor=actor, now=now)
            if draft.status is RegistrationStatus.SUBMITTED:
                raise RegistrationUnderReview()
            if draft.version != version:
                raise await moved_on(draft)
            _require_open(draft, rules, changes.keys)
            saved_before = JournalEntry.filter(subject=f"registration:{draft.id}", action=SAVED)
            await allowances.require(saved_before, "at", allowances.SAVINGS, now=now)
            columns = self._merged(draft, rules, changes, accepted)
            saved = await Registration.filter(id=draft.id, version=version).update(
                **columns, version=version + 1, saved_by=actor.id, saved_at=now
            )
            draft = await Registration.get(id=draft.id)
            if not saved:
                raise await moved_on(draft)
            # Which items, never their values: some are personal.
            await journal.record(
                SAVED,
                f"registration:{draft.id}",
                actor=actor.name,
                at=now,
                programme_slug=slug,
                items=sorted(changes.keys),
            )
        return await self.shown(draft)

    async def mine(self, *, actor: Actor) -> list[Draft]:
        """The forms that the actor's organisation has begun."""
        rows = await Registration.filter(organisation_id=access.organisation_id_of(actor)).order_by("id")
        return [await self.shown(row) for row in rows]

    async def one(self, registration_id: int, *, actor: Actor) -> Draft:
        """One form: of the actor's own organisation, or of the actor's programmes and areas."""
        return await self.shown(await registration_for(actor, registration_id))

    async def shown(self, draft: Registration) -> Draft:
        """A form as its people see it."""
        programme = self.programmes.get(draft.programme_slug)
        organisation = await Organisation.get(id=draft.organisation_id)
        return Draft(
            draft,
            programme,
            organisation,
            shown_values(draft, self.sealer),
            self.faults(draft, programme, organisation),
            self.missing(draft, programme, organisation),
            await name_of(draft.saved_by),
        )

    async def require_admissible(
        self, organisation: Organisation, programme: Programme, party: Party, now: datetime
    ) -> None:
        """Before anybody fills in a form that cannot lead anywhere (GZ-81, YC-29)."""
        if party is not Party.PROVIDER:
            return
        await self._labels.require_listed(programme, organisation.name, uscc=organisation.uscc)
        assessment = await assess(programme, organisation, party, self.sizes, now=now)
        barred = {one.code for one in programme.provider.conditions if one.kind is ConditionKind.NOT_OPERATOR}
        for unmet in assessment.unmet:
            if unmet.code in barred:
                raise OperatorCannotProvide(clause=unmet.clause, arithmetic=unmet.arithmetic, unmet=(unmet,))

    def _merged(
        self,
        draft: Registration,
        rules: PartyRules,
        changes: Changes,
        accepted: Mapping[str, dict[str, Any] | None],
    ) -> dict[str, Any]:
        """The draft's columns with the changes in them. Raises :class:`FormValuesUnusable`."""
        kinds = {one.key: one.field for one in form_fields(rules)}
        personal = sealed_keys(rules)
        values, sealed = dict(draft.values), dict(draft.sealed)
        strange: list[Unmet] = []
        for key, value in changes.values.items():
            shown = mask(self.sealer.open(sealed[key])) if key in sealed else ""
            if key in personal and isinstance(value, str) and "*" in value:
                # What we masked ourselves comes back unchanged: it is no new value.
                if value != shown:
                    strange.append(_unusable(kinds[key].name, key, "masked", kinds[key].article))
            elif value is None or value == "":
                values.pop(key, None)
                sealed.pop(key, None)
            elif not fits(kinds[key].kind, value):
                strange.append(_unusable(kinds[key].name, key, "kind", kinds[key].article))
            elif key in personal:
                sealed[key] = self.sealer.seal(str(value).strip())
            else:
                values[key] = value
        if strange:
            raise FormValuesUnusable(clause=strange[0].clause, unmet=strange, count=len(strange))
        papers = {
            code: ids
            for code, ids in {
                **draft.documents,
                **{code: list(dict.fromkeys(ids)) for code, ids in changes.documents.items()},
            }.items()
            if ids
        }
        undertakings = {
            code: given for code, given in {**draft.undertakings, **accepted}.items() if given is not None
        }
        return {"values": values, "sealed": sealed, "documents": papers, "undertakings": undertakings}

    def faults(
        self, draft: Registration, programme: Programme, organisation: Organisation
    ) -> tuple[Unmet, ...]:
        """What is wrong with what has been filled in."""
        today = day(self.clocks.now(programme.slug))
        rules = rules_of(programme, draft.party)
        return value_faults(rules, self.filled(draft, rules, organisation), self._known(organisation), today)

    def missing(
        self, draft: Registration, programme: Programme, organisation: Organisation
    ) -> tuple[Unmet, ...]:
        """What is still to be filled in, handed in and agreed to."""
        today = day(self.clocks.now(programme.slug))
        rules = rules_of(programme, draft.party)
        filled = self.filled(draft, rules, organisation)
        return missing(programme, rules, filled, self._known(organisation), today)

    def filled(self, draft: Registration, rules: PartyRules, organisation: Organisation) -> Filled:
        """What is there; what an enterprise said when it registered need not be said again."""
        said = organisation.declarations if draft.party is Party.ENTERPRISE else {}
        asked = {one.code: one for one in rules.fields}
        before = {
            code: value for code, value in said.items() if code in asked and fits(asked[code].kind, value)
        }
        current = {one.code: hash_of(one) for one in rules.undertakings}
        return Filled(
            values={**before, **open_values(draft, self.sealer)},
            documents={code: len(ids) for code, ids in draft.documents.items()},
            undertakings=frozenset(
                code for code, given in draft.undertakings.items() if given["hash"] == current.get(code)
            ),
        )

    def _known(self, organisation: Organisation) -> Known:
        return Known(
            name=organisation.name,
            headcount=organisation.headcount,
            revenue_fen=organisation.revenue_fen,
            assets_fen=organisation.assets_fen,
            legal_form=organisation.legal_form,
            size_class=size_of(organisation, self.sizes),
        )

    async def _draft(
        self, organisation: Organisation, programme: Programme, party: Party, *, actor: Actor, now: datetime
    ) -> Registration:
        """The organisation's form, begun if need be, under the organisation's lock."""
        draft = await Registration.get_or_none(
            organisation_id=organisation.id, programme_slug=programme.slug, party=party
        )
        if draft is not None:
            return draft
        await self.require_admissible(organisation, programme, party, now)
        try:
            async with in_transaction():  # A savepoint: the form may have come to be a moment ago.
                return await Registration.create(
                    organisation=organisation,
                    programme_slug=programme.slug,
                    party=party,
                    saved_by=actor.id,
                    created_at=now,
                    saved_at=now,
                )
        except IntegrityError:
            return await Registration.get(
                organisation_id=organisation.id, programme_slug=programme.slug, party=party
            )


def hash_of(undertaking: Undertaking) -> str:
    """What stands for the text that somebody agreed to, SHA-256 in hex."""
    return sha256(text_of(undertaking).encode()).hexdigest()


async def registration_for(actor: Actor, registration_id: int) -> Registration:
    """A form of the actor's own organisation, or of a staff member's programmes and areas.

    Raises ``NotFound``; nobody of the official side sees a draft that was never handed in.
    """
    known = Registration.filter(id=registration_id)
    if actor.kind == "person":
        known = known.filter(organisation_id=access.organisation_id_of(actor))
    draft = await known.select_related("organisation").first()
    if draft is None:
        raise NotFound()
    if actor.kind == "staff":
        access.require_programme(actor, draft.programme_slug)
        access.require_area(actor, draft.organisation.area)
        if not await Submission.exists(registration_id=draft.id):
            raise NotFound()
    return draft


async def require_papers(
    documents: Sequence[Document], papers: Mapping[str, Collection[int]], owner_id: int, *, by: str
) -> None:
    """Raise ``FilesUnknown`` for files of others, :class:`FormValuesUnusable` for those of another kind."""
    ids = list(dict.fromkeys(one for named in papers.values() for one in named))
    kinds = {file.id: file.kind for file in await files.require_own(ids, owner_id, by=by)}
    strange = [
        Unmet(f"{DOCUMENTS}.{one.code}", one.article, texts.FORM_FAULTS["wrong_kind"].format(name=one.name))
        for one in documents
        if any(kinds[file_id] is not one.kind for file_id in papers.get(one.code, ()))
    ]
    if strange:
        raise FormValuesUnusable(clause=strange[0].clause, unmet=strange, count=len(strange))


def _accepted(
    rules: PartyRules, given: Mapping[str, str | None], *, actor: Actor, now: datetime
) -> dict[str, dict[str, Any] | None]:
    """Who agreed to which text and when. Raises :class:`UndertakingChanged`."""
    accepted: dict[str, dict[str, Any] | None] = {}
    for undertaking in rules.undertakings:
        if undertaking.code not in given:
            continue
        shown = given[undertaking.code]
        if shown is not None and shown != hash_of(undertaking):
            raise UndertakingChanged(clause=undertaking.article, name=undertaking.name)
        accepted[undertaking.code] = (
            None if shown is None else {"hash": shown, "person": actor.id, "at": now.isoformat()}
        )
    return accepted


def _require_open(draft: Registration, rules: PartyRules, keys: Collection[str]) -> None:
    if draft.status is not RegistrationStatus.RETURNED or not draft.returned:
        return
    names = names_of(rules)
    shut = [
        Unmet(key, "", texts.FORM_FAULTS["shut"].format(name=names[key]))
        for key in keys
        if key not in draft.returned
    ]
    if shut:
        raise FormItemsShut(unmet=shut, count=len(shut))


def _unusable(name: str, key: str, fault: str, clause: str) -> Unmet:
    return Unmet(key, clause, texts.FORM_FAULTS[fault].format(name=name))


async def moved_on(draft: Registration | Offering) -> DraftMovedOn:
    """What to tell whoever looked at an earlier version: who saved this one, and when."""
    return DraftMovedOn(
        who=await name_of(draft.saved_by),
        when=draft.saved_at.astimezone(CHINA).strftime(texts.REVIEW_INSTANT),
        version=draft.version,
    )


async def name_of(person_id: int) -> str:
    """What somebody is called who saved a draft."""
    person = await Person.get_or_none(id=person_id)
    return (person.name if person else "") or texts.WHO["person"]
