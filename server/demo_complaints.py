"""Demo complaints: one that was answered, one that waits for the operator, one in the mailbox."""

from __future__ import annotations

from aiohttp import web

from server import keys
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.rules.complaints import Channel, Finding, SubjectKind
from server.services.access import Actor
from server.services.complaints.complaints import Filing
from server.texts import DEMO


async def complain(
    app: web.Application, programme: Programme, person: Actor, provider: Organisation, operator: Actor
) -> None:
    """What an enterprise's handler complains of; where another rung comes first, nobody answers here."""
    office = app[keys.COMPLAINTS]
    subjects = (SubjectKind.PROVIDER, SubjectKind.PROVIDER, SubjectKind.OFFICIAL)
    filed = [
        await office.complaints.submit(
            Filing(
                channel=Channel.MINI_PROGRAM,
                subject=subject,
                subject_id=provider.id if subject is SubjectKind.PROVIDER else None,
                programme_slug=programme.slug,
                happened=DEMO[f"complaint_{place}"],
                since=None,
                wanted=DEMO["complaint_wanted"],
                file_ids=(),
                anonymous=place > 1,
                name=DEMO["somebody"] if place == 1 else "",
                contact="",
                person_id=person.id,
                sender_id=None,
            )
        )
        for place, subject in enumerate(subjects, 1)
    ]
    if filed[0].turn in operator.roles:
        case = filed[0].id
        await office.desk.claim(case, actor=operator)
        await office.handling.find(
            case, Finding.UNSUBSTANTIATED, DEMO["complaint_found"], serious=False, actor=operator
        )
        await office.handling.answer(case, DEMO["complaint_answer"], actor=operator)
