"""Complaints: filed by anybody, climbing a ladder, answered in working days, and nobody's business else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from server.models.complaints import Complainant, ComplaintEntry
from server.models.outbox import OutboxMessage
from server.rules.complaints import ComplaintStatus
from server.services.complaints import Whose
from tests.complaining import Hall

SENDER = Whose(sender_id=17)


@pytest.mark.rules("LS-80")
async def test_somebody_unknown_files_and_has_number_and_date_at_once(hall: Hall) -> None:
    filed = await hall.file(sender_id=17, anonymous=True, name="王芳", contact="13900001111")
    assert filed.number.startswith("T") and filed.status is ComplaintStatus.FILED
    assert filed.answer_due_at == datetime(2026, 5, 25, 16, tzinfo=UTC)
    (told,) = await OutboxMessage.filter(recipient="sender:17")
    assert (told.topic, told.data["number"]) == ("complaint.filed", filed.number)
    assert [row.id for row in await hall.complaints.of_complainant(person_id=None, sender_id=17)] == [
        filed.id
    ]
    assert await hall.complaints.of_complainant(person_id=None, sender_id=None) == []
    whose = await Complainant.get(complaint_id=filed.id)
    assert (whose.name_sealed, whose.contact_sealed) == ("", "")
    assert await ComplaintEntry.filter(complaint_id=filed.id).count() == 1
