"""Whose papers a reviewer opens: those of what they review, and nobody else's in the same programme."""

from __future__ import annotations

from server.models.files import FileAttachment
from server.models.registrations import Registration
from server.programme.papers import DocumentKind
from server.programme.vocabulary import Party
from tests import paperwork
from tests.town import Caller, Town

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
