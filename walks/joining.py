"""Joining: an organisation registers, fills in its form, is reviewed, and is approved or told why not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from aiohttp import ClientSession

from server.programme.model import Programme
from server.programme.review import ReviewSubject
from server.programme.vocabulary import Party
from walks.callers import Caller, Said, WalkFailed, person
from walks.cast import Part, mistyped
from walks.officials import Officials
from walks.paperwork import answers, asked, hand_in
from walks.world import World

AT_ONCE = 6
"""Organisations that are served at the same time."""


@dataclass(slots=True)
class Joined:
    """An organisation in the system: its handler, and where it stands."""

    part: Part
    caller: Caller
    id: int = 0
    case_id: int | None = None
    status: str = ""
    clauses: tuple[str, ...] = ()

    @property
    def is_approved(self) -> bool:
        return self.status == "approved"

    @property
    def is_refused(self) -> bool:
        return bool(self.part.breaks or self.part.stopped)


class Joining:
    """Everybody's way into one programme."""

    def __init__(
        self, http: ClientSession, world: World, programme: Programme, officials: Officials, today: date
    ) -> None:
        self.http = http
        self.world = world
        self.programme = programme
        self.officials = officials
        self.today = today
        self.forms: dict[Party, Any] = {}
        self.refusals = 0
        """How often somebody was refused something, with the clause it rests on."""

    async def register(self, parts: Sequence[Part]) -> list[Joined]:
        """Everybody registers and hands in; what the chain decides by itself is decided."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(part: Part) -> Joined:
            async with gate:
                return await self._register(part)

        return list(await asyncio.gather(*map(one, parts)))

    async def review(self, everybody: Sequence[Joined]) -> int:
        """Decide every case as far as it goes today; returns how many wait for their public notice."""
        waiting = 0
        for one in everybody:
            if one.case_id is not None and not one.status:
                waiting += await self._review(one)
        return waiting

    async def _register(self, part: Part) -> Joined:
        joined = Joined(part, await person(self.http, self.world, part.uscc))
        caller = joined.caller
        facts = {**part.facts, "name": part.name, "labels": list(part.claims), "role": "handler"}
        if part.turn == "mistyped":
            refused = await caller.post("organisations", uscc=mistyped(part.uscc), **facts)
            refused.must(422, f"{part.name} mistypes its code")
        made = await caller.post("organisations", uscc=part.uscc, **facts)
        joined.id = made.must(201, f"{part.name} registers")["id"]
        form = await self._form(part.party, caller)
        told: dict[str, Any] = {"programme": self.programme.slug, "party": part.party.value}
        values = answers(form, part, self.today.isoformat())
        undertakings = {one["code"]: one["hash"] for one in form["undertakings"]}
        saved = await caller.patch(
            "registrations", **told, version=0, values=values, undertakings=undertakings
        )
        if part.stopped:
            if saved.code != part.stopped:
                raise WalkFailed(f"{part.name}: {part.stopped} was expected: {saved.body}")
            return self._stopped(joined, saved)
        draft = saved.must(200, f"{part.name} saves its form")
        if part.turn == "incomplete" and asked(form, part):
            refused = await self._submit(caller, draft)
            missing = refused.must(422, f"{part.name} forgets its papers")["unmet"]
            if len(missing) < len(asked(form, part)):
                raise WalkFailed(f"{part.name} is not told everything that is missing: {missing}")
            self.refusals += bool(refused.clauses)
        documents = {
            one["code"]: await hand_in(caller, self.programme.slug, one, part) for one in asked(form, part)
        }
        saved = await caller.patch("registrations", **told, version=draft["version"], documents=documents)
        draft = saved.must(200, f"{part.name} adds its papers")
        said = await self._submit(caller, draft)
        if part.breaks and said.code == "registration_incomplete":
            # What it declares contradicts its own figures: it cannot even be handed in.
            return self._stopped(joined, said)
        self._note(joined, said.must(201, f"{part.name} hands in"))
        return joined

    def _stopped(self, joined: Joined, refused: Said) -> Joined:
        """Refused before anybody reviews it."""
        joined.status, joined.clauses = "stopped", refused.clauses
        self.refusals += bool(refused.clauses)
        return joined

    async def _submit(self, caller: Caller, draft: Any) -> Said:
        return await caller.post(f"registrations/{draft['id']}/submissions", version=draft["version"])

    async def _form(self, party: Party, caller: Caller) -> Any:
        if party not in self.forms:
            said = await caller.get("registrations/form", programme=self.programme.slug, party=party.value)
            self.forms[party] = said.must(200, "the form is shown")
        return self.forms[party]

    def _note(self, joined: Joined, standing: Any) -> None:
        """What the standing says, and whether it is what the cast expects."""
        part = joined.part
        joined.case_id = standing["case_id"]
        unmet = {one["code"]: one["clause"] for one in standing["unmet"]}
        if part.breaks and part.breaks not in unmet:
            raise WalkFailed(f"{part.name} breaks {part.breaks}, and is told of {sorted(unmet)} only")
        joined.clauses = tuple(clause for clause in unmet.values() if clause)
        if standing["status"] == "pending":
            return
        joined.status = standing["status"]
        self._require_expected(joined)

    async def _review(self, joined: Joined) -> bool:
        """Decide a case; whether it waits for its notice to end."""
        case_id = joined.case_id or 0
        while True:
            case = await self.officials.look(case_id)
            if case["status"] == "on_notice":
                return True
            if case["status"] in ("passed", "refused"):
                joined.status = "approved" if case["status"] == "passed" else "refused"
                self._require_expected(joined)
                return False
            if joined.part.turn == "returned":
                joined.part.turn = ""
                await self._returned(joined)
                continue
            said = await self.officials.decide(case_id, "approve")
            if said.status == 200:
                continue
            if not joined.part.breaks or said.code != "conditions_unmet":
                raise WalkFailed(f"{joined.part.name}: {said.status} {said.body}")
            joined.clauses = said.clauses
            reason = "不符合申报条件"
            refused = await self.officials.decide(case_id, "reject", reason=reason)
            if refused.status != 200 or (await self.officials.look(case_id))["status"] == "open":
                # A step that only gives an opinion cannot end a case: the next one decides.
                raise WalkFailed(f"{joined.part.name} is not refused: {refused.status} {refused.body}")

    async def _returned(self, joined: Joined) -> None:
        """Sent back for one paper, which is handed in anew; nothing else may be touched."""
        part, caller = joined.part, joined.caller
        form = self.forms[part.party]
        document = next(iter(asked(form, part)), None)
        if document is None:
            return
        case_id = joined.case_id or 0
        path = f"documents.{document['code']}"
        reason = "印章不清晰，请重新扫描"
        sent_back = await self.officials.decide(case_id, "return", reason=reason, fields={path: reason})
        sent_back.must(200, f"{part.name} is sent back")
        (mine,) = (await caller.get("registrations")).must(200, "its form")["registrations"]
        told = {"programme": self.programme.slug, "party": part.party.value}
        other = next(field for field in form["fields"] if field["key"] in mine["values"])
        shut = await caller.patch(
            "registrations", **told, version=mine["version"], values={other["key"]: None}
        )
        if shut.code != "form_items_shut":
            raise WalkFailed(f"{part.name} may change what was not returned: {shut.body}")
        again = {**document, "code": f"{document['code']}-2"}
        files = await hand_in(caller, self.programme.slug, again, part)
        saved = await caller.patch(
            "registrations", **told, version=mine["version"], documents={document["code"]: files}
        )
        draft = saved.must(200, f"{part.name} corrects what was returned")
        (await self._submit(caller, draft)).must(201, f"{part.name} hands in again")

    def _require_expected(self, joined: Joined) -> None:
        if joined.is_approved is joined.is_refused:
            raise WalkFailed(f"{joined.part.name} ({joined.part.breaks or 'fit'}) ends {joined.status}")
        if joined.is_refused:
            # What the text leaves open is assumed, and has no clause to name.
            self.refusals += bool(joined.clauses)


def chain_needs_notice(programme: Programme) -> bool:
    """Whether anybody who joins has to wait for a public notice."""
    chains = [programme.review(subject) for subject in (ReviewSubject.ENTERPRISE, ReviewSubject.PROVIDER)]
    return any(step.kind.value == "public_notice" for chain in chains if chain for step in chain.steps)
