"""Whose papers a reviewer opens: those of what they review, and nobody else's in the same programme."""

from __future__ import annotations

import pytest

from server.models.files import FileAttachment, StoredFile
from server.models.organisations import Organisation
from server.models.registrations import Registration
from server.programme.papers import DocumentKind
from server.programme.vocabulary import Party
from tests import paperwork, supervised
from tests.ordering import organisation_of
from tests.ownership_stage import ANOTHER_AREA, ANOTHER_PROGRAMME
from tests.town import PROGRAMME, Caller, Town

REGION = "guangxi-2024"


async def a_paper(town: Town, handler: Caller, party: Party) -> int:
    """A file that was handed in with the registration of an organisation as this party."""
    mine = (await handler.get("organisations/mine")).body["id"]
    form = await Registration.create(
        organisation_id=mine,
        party=party,
        programme_slug=REGION,
        saved_by=handler.id,
        created_at=town.now,
        saved_at=town.now,
    )
    file = await paperwork.a_file(mine, DocumentKind.LICENCE, REGION, town.now)
    await FileAttachment.create(
        file_id=file.id,
        subject=f"registration:{form.id}",
        document_code="licence",
        programme_slug=REGION,
        attached_at=town.now,
    )
    return file.id


async def test_an_expert_opens_the_papers_of_the_chain_that_has_experts_and_no_others(town: Town) -> None:
    expert, authority = await town.staff("expert"), await town.staff("authority")
    handler = await town.handler()
    enterprise = await a_paper(town, handler, Party.ENTERPRISE)
    provider = await a_paper(town, handler, Party.PROVIDER)
    assert [(await authority.get(f"files/{one}")).status for one in (enterprise, provider)] == [200, 200]
    assert [(await expert.get(f"files/{one}")).status for one in (enterprise, provider)] == [404, 200]


@pytest.mark.rules("LS-75", "GZ-51")
async def test_what_an_official_photographed_is_seen_by_whoever_sees_the_inspection(town: Town) -> None:
    """Joint inspections are held by two authorities: each reads what the other put there, and the auditor."""
    visited = await organisation_of(handler := await town.handler())
    visit = await supervised.a_visit(town.programmes.get(PROGRAMME), town.now, visited.id)
    photo = await of_an_official(town, f"inspection_visit:{visit.id}")
    word = await of_an_official(town, "payment:1")

    async def seen_by(role: str, file_id: int = photo, **bounds: list[str]) -> int:
        return (await (await town.staff(role, **bounds)).get(f"files/{file_id}")).status

    for role in ("operator", "authority", "treasury", "inspector", "auditor"):
        assert await seen_by(role) == 200, role
    for role in ("expert", "district"):
        assert await seen_by(role) == 404, role
    assert await seen_by("treasury", programmes=[ANOTHER_PROGRAMME]) == 404
    assert await seen_by("treasury", areas=[ANOTHER_AREA]) == 404
    assert await seen_by("treasury", areas=[visited.area]) == 200
    assert (await handler.get(f"files/{photo}")).status == 404, "it was not the visited one's to put there"
    shown = await (await town.staff("treasury")).get(f"files/{photo}/content")
    assert (shown.status, shown.code) == (422, "view_reason_missing")
    # The bank's word is the treasury's to read, and no inspector's.
    assert [await seen_by(one, word) for one in ("treasury", "inspector")] == [200, 404]


async def of_an_official(town: Town, subject: str) -> int:
    """A file that some official uploaded and handed in with a subject."""
    paper = await paperwork.a_file(
        (await Organisation.first()).id,  # type: ignore[union-attr]
        DocumentKind.LICENCE, PROGRAMME, town.now,
    )  # fmt: skip
    kept = {name: getattr(paper, name) for name in paper._meta.db_fields if name != "id"}
    file = await StoredFile.create(**{**kept, "organisation_id": None, "uploaded_by": "staff:4711"})
    await FileAttachment.create(
        file_id=file.id, subject=subject, document_code="photo", programme_slug=PROGRAMME,
        attached_at=town.now,
    )  # fmt: skip
    return int(file.id)
