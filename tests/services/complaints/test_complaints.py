"""Complaints: filed by anybody, climbing a ladder, answered in working days, confirmed or opened again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.errors import Refusal
from server.models.chat import ChatSender
from server.models.complaints import Complainant, Complaint, ComplaintEntry, OrderHold, SanctionProposal
from server.models.files import StoredFile
from server.models.journal import JournalEntry
from server.models.outbox import OutboxMessage
from server.models.people import Staff
from server.programme.papers import DocumentKind
from server.programme.vocabulary import Actor as Role
from server.programme.vocabulary import Party
from server.rules.complaints import (
    Audience,
    Channel,
    Closing,
    ComplaintStatus,
    EntryKind,
    Finding,
    SubjectKind,
)
from server.services.access import NotFound
from server.services.allowances import TooManyToday
from server.services.complaints.complaint_aims import ComplaintSubjectUnknown
from server.services.complaints.complaint_book import ComplainantRevealed, ComplaintMovedOn
from server.services.complaints.complaint_desk import NotYourComplaint, OwnAnswer
from server.services.complaints.complaint_handling import (
    FindingMissing,
    HoldImpossible,
    NobodyAccused,
    NothingAbove,
)
from server.services.complaints.complaints import (
    AlreadyInMailbox,
    ComplaintEmpty,
    ComplaintWindowOver,
    Filing,
    UrgedAlready,
    Whose,
)
from server.services.files.files import FilesUnknown
from server.services.holds import order_holds
from server.services.holds.order_holds import OrderHeld
from server.services.providers.provider_pages import as_json, performance
from tests.complaining import LISHUI, Hall, name_of
from tests.paperwork import a_file

CALLER = Whose(sender_id=17)
DAY = timedelta(days=1)
OFFICIAL = {"subject": SubjectKind.OFFICIAL, "happened": "工作人员索要好处费。"}


async def refused(awaited: Any) -> type[Refusal] | None:
    try:
        await awaited
    except Refusal as said:
        return type(said)
    return None


async def topics(recipient: str) -> list[str]:
    return [one.topic for one in await OutboxMessage.filter(recipient=recipient).order_by("id")]


@pytest.mark.rules("LS-80")
async def test_somebody_unknown_files_and_has_number_and_date_at_once(hall: Hall) -> None:
    filed = await hall.file(sender_id=17, anonymous=True, name="王芳", contact="13900001111")
    assert filed.number.startswith("T") and filed.status is ComplaintStatus.FILED
    # Filed on a Monday: five working days later at the end of the day, in China.
    assert filed.answer_due_at == datetime(2026, 5, 25, 16, tzinfo=UTC)
    (told,) = await OutboxMessage.filter(recipient="sender:17")
    assert (told.topic, told.data["number"]) == ("complaint.filed", filed.number)
    assert await topics(f"role:operator:{LISHUI}") == ["complaint.arrived"]
    mine = await hall.complaints.of_complainant(person_id=None, sender_id=17)
    assert [row.id for row in mine] == [filed.id]
    assert await hall.complaints.of_complainant(person_id=None, sender_id=None) == []
    whose = await Complainant.get(complaint_id=filed.id)
    assert (whose.name_sealed, whose.contact_sealed) == ("", "")
    named = await hall.file(sender_id=18, name="王芳", contact="13900001111")
    sealed = await Complainant.get(complaint_id=named.id)
    assert sealed.name_sealed and "王芳" not in sealed.name_sealed


@pytest.mark.rules("LS-80")
async def test_both_sides_of_an_order_complain_and_each_accuses_the_other(hall: Hall) -> None:
    order = await hall.order()
    for own, accused, as_ in (
        (order.enterprise_id, order.provider_id, Party.PROVIDER),
        (order.provider_id, order.enterprise_id, Party.ENTERPRISE),
    ):
        person = await hall.handler_of(own)
        filed = await hall.file(person_id=person.id, subject=SubjectKind.ORDER, subject_id=order.id)
        assert (filed.accused_id, filed.accused_as, filed.programme_slug) == (accused, as_, LISHUI)
    stranger = await hall.handler_of((await hall.order()).enterprise_id)
    about = {"subject": SubjectKind.ORDER, "subject_id": order.id}
    assert await refused(hall.file(person_id=stranger.id, **about)) is ComplaintSubjectUnknown
    assert await refused(hall.file(sender_id=17, **about)) is None


@pytest.mark.parametrize(
    ("others", "refusal"),
    [
        ({"happened": "  "}, ComplaintEmpty),
        ({"subject": SubjectKind.ORDER}, ComplaintSubjectUnknown),
        ({"subject": SubjectKind.ROUND, "subject_id": 9}, ComplaintSubjectUnknown),
        ({"subject": SubjectKind.PROVIDER, "subject_id": 9}, ComplaintSubjectUnknown),
        ({"subject_id": 9}, ComplaintSubjectUnknown),
        ({"programme_slug": None}, None),
    ],
)
async def test_what_nobody_could_look_into_is_refused(
    hall: Hall, others: dict[str, Any], refusal: type[Refusal] | None
) -> None:
    assert await refused(hall.file(sender_id=17, **others)) is refusal
    assert await Complaint.all().count() == (refusal is None)


@pytest.mark.rules("LS-81")
async def test_a_case_is_taken_on_looked_into_answered_and_confirmed(hall: Hall) -> None:
    order = await hall.order()
    filed = await hall.file(sender_id=17, subject=SubjectKind.ORDER, subject_id=order.id)
    actor = await hall.staff("operator")
    assert await refused(hall.handling.answer(filed.id, "答复", actor=actor)) is NotYourComplaint
    await hall.complaint_desk.claim(filed.id, actor=actor)
    other = await hall.staff("operator")
    assert await refused(hall.complaint_desk.claim(filed.id, actor=other)) is NotYourComplaint
    assert await refused(hall.complaint_desk.claim(filed.id, actor=await hall.staff("authority"))) is NotFound
    assert await refused(hall.handling.answer(filed.id, "答复", actor=actor)) is FindingMissing
    await hall.handling.say(filed.id, EntryKind.REQUEST, "请说明交付情况。", actor=actor)
    await hall.handling.find(filed.id, Finding.UNSUBSTANTIATED, "合同已履行。", serious=True, actor=actor)
    done = await hall.handling.answer(filed.id, "经核查，合同已履行。", actor=actor)
    assert (done.status, done.serious) == (ComplaintStatus.ANSWERED, False)
    closed = await hall.complaints.confirm(filed.id, by=CALLER)
    assert (closed.status, closed.closed_how) == (ComplaintStatus.CLOSED, Closing.CONFIRMED)
    rated = await hall.complaints.rate(filed.id, "满意", by=CALLER)
    assert rated.handling == "满意"
    assert await refused(hall.complaints.rate(filed.id, "不满意", by=CALLER)) is ComplaintMovedOn
    assert await topics("sender:17") == ["complaint.filed", "complaint.received", "complaint.answered"]
    accused = await topics(f"organisation:{order.provider_id}")
    assert accused == ["accusation.request", "accusation.found"]


async def test_a_case_is_urged_once_in_a_period_and_withdrawn_for_good(hall: Hall) -> None:
    filed = await hall.file(sender_id=17)
    assert await refused(hall.complaints.urge(filed.id, by=Whose(sender_id=18))) is NotFound
    await hall.complaints.urge(filed.id, by=CALLER)
    assert await refused(hall.complaints.urge(filed.id, by=CALLER)) is UrgedAlready
    hall.clock.advance(3 * DAY)
    assert (await hall.complaints.urge(filed.id, by=CALLER)).urges == 2
    await hall.complaints.supplement(filed.id, "补充一点。", by=CALLER)
    gone = await hall.complaints.withdraw(filed.id, by=CALLER)
    assert gone.status is ComplaintStatus.WITHDRAWN
    assert (await refused(hall.complaints.supplement(filed.id, "还有。", by=CALLER))) is not None


@pytest.mark.rules("LS-82")
async def test_a_serious_complaint_that_is_true_holds_its_order_alone_and_proposes_a_sanction(
    hall: Hall,
) -> None:
    order, another = await hall.order(), await hall.order()
    filed = await hall.file(sender_id=17, subject=SubjectKind.ORDER, subject_id=order.id)
    await order_holds.require_free(order)
    await hall.answered(filed, finding=Finding.SUBSTANTIATED, serious=True)
    assert await refused(order_holds.require_free(order)) is OrderHeld
    await order_holds.require_free(another)
    figures = as_json(await performance(LISHUI, order.provider_id))
    assert (figures["complaints"], figures["serious_complaints"]) == (1, 1)
    proposed = await SanctionProposal.get(complaint_id=filed.id)
    assert (proposed.against_id, proposed.clause, proposed.decided_by_role) == (
        order.provider_id,
        "五（三）",
        Role.AUTHORITY,
    )
    assert await topics(f"role:authority:{LISHUI}") == ["complaint.sanction_proposed"]


@pytest.mark.rules("GX-79")
async def test_where_the_text_names_the_ground_the_proposal_names_the_sanction(hall: Hall) -> None:
    order = await hall.order("guangxi-2024")
    filed = await hall.file(
        sender_id=17, subject=SubjectKind.ORDER, subject_id=order.id, programme_slug="guangxi-2024"
    )
    await hall.answered(filed, finding=Finding.SUBSTANTIATED, serious=True)
    proposed = await SanctionProposal.get(complaint_id=filed.id)
    assert (proposed.sanction, proposed.ground) == ("violation", "complaint")
    assert (proposed.clause, "stop_transaction" in proposed.measures) == ("第二十七条（四）", True)


async def test_a_hold_shows_no_subject_before_the_finding_and_ends_where_nothing_was_true(hall: Hall) -> None:
    order = await hall.order()
    filed = await hall.file(sender_id=17, subject=SubjectKind.ORDER, subject_id=order.id)
    actor = await hall.taken(filed)
    assert await order_holds.shown(order.id) == ""
    await hall.handling.hold(filed.id, "先行暂扣，待核查。", actor=actor)
    assert await order_holds.shown(order.id) == "由监督部门暂扣"
    assert filed.number in await order_holds.shown(order.id, to_staff=True)
    provider = await hall.staff("operator")
    person = await hall.handler_of(order.provider_id)
    as_provider = type(provider)("person", person.id, "", order.provider_id, frozenset({"handler"}))
    assert await hall.accusations.mine(actor=as_provider) == []
    assert await refused(hall.accusations.one(filed.id, actor=as_provider)) is NotFound
    await hall.handling.find(filed.id, Finding.SUBSTANTIATED, "属实。", serious=True, actor=actor)
    assert filed.number in await order_holds.shown(order.id)
    (seen,) = await hall.accusations.mine(actor=as_provider)
    assert seen.order_id == order.id
    await hall.handling.find(filed.id, Finding.UNSUBSTANTIATED, "复查后不属实。", serious=False, actor=actor)
    assert await order_holds.shown(order.id) == ""
    assert await OrderHold.filter(lifted_at=None).count() == await SanctionProposal.all().count() == 0


@pytest.mark.rules("LS-83")
async def test_into_the_mailbox_only_its_complainant_brings_a_case_and_nobody_below_sees_it(
    hall: Hall,
) -> None:
    order = await hall.order()
    filed = await hall.file(sender_id=17, subject=SubjectKind.ORDER, subject_id=order.id)
    operator = await hall.answered(filed)
    before = await OutboxMessage.all().count()
    moved = await hall.complaints.reopen(filed.id, reason="避重就轻。", mailbox=True, by=CALLER)
    assert (moved.sealed, moved.turn, moved.assigned_to) == (True, Role.OVERSIGHT_BODY, None)
    told = await OutboxMessage.all().order_by("id").offset(before)
    assert [one.recipient for one in told] == [f"role:oversight_body:{LISHUI}"]
    below = [
        operator,
        await hall.staff("operator"),
        await hall.staff("authority"),
        await hall.staff("auditor"),
    ]
    for actor in below:
        assert await refused(hall.complaint_desk.claim(filed.id, actor=actor)) is NotFound
    oversight = await hall.staff("oversight_body")
    await hall.complaint_desk.claim(filed.id, actor=oversight)
    assert await refused(hall.handling.hand_over(filed.id, "退回", actor=oversight)) is NothingAbove
    await hall.handling.find(filed.id, Finding.SUBSTANTIATED, "属实。", serious=True, actor=oversight)
    await hall.handling.answer(filed.id, "已立案。", actor=oversight)
    # Its order is held, and nothing of the case gets out with that.
    for to_staff in (False, True):
        assert await order_holds.shown(order.id, to_staff=to_staff) == "由监督部门暂扣"
    assert await SanctionProposal.all().count() == 0
    figures = as_json(await performance(LISHUI, order.provider_id))
    assert (figures["complaints"], figures["serious_complaints"]) == (0, 0)
    assert await topics(f"role:authority:{LISHUI}") == []
    again = hall.complaints.reopen(filed.id, reason="仍不满意。", mailbox=True, by=CALLER)
    assert await refused(again) is AlreadyInMailbox


@pytest.mark.rules("LS-83")
async def test_what_is_about_officials_goes_to_the_mailbox_at_once(hall: Hall) -> None:
    for slug in (LISHUI, "yinchuan-2024", None):
        filed = await hall.file(sender_id=17, programme_slug=slug, **OFFICIAL)
        assert (filed.sealed, filed.turn) == (True, Role.OVERSIGHT_BODY)
    assert await topics(f"role:operator:{LISHUI}") == []


async def test_who_was_not_content_is_heard_by_the_next_rung_and_then_by_other_eyes(hall: Hall) -> None:
    filed = await hall.file(sender_id=17)
    await hall.answered(filed)
    climbed = await hall.complaints.reopen(filed.id, reason="没有解决。", by=CALLER)
    assert (climbed.turn, climbed.reopened) == (Role.AUTHORITY, 1)
    official = await hall.answered(climbed)
    again = await hall.complaints.reopen(filed.id, reason="还是没有。", by=CALLER)
    assert (again.turn, again.status) == (Role.AUTHORITY, ComplaintStatus.FILED)
    colleague = await hall.staff("authority")
    assert await refused(hall.complaint_desk.claim(filed.id, actor=official)) is OwnAnswer
    given = hall.complaint_desk.assign(filed.id, official.id, actor=colleague)
    assert await refused(given) is OwnAnswer
    assert await refused(hall.complaint_desk.claim(filed.id, actor=colleague)) is None


async def test_the_clock_reminds_half_way_brings_up_what_is_late_and_closes_what_stays_silent(
    hall: Hall,
) -> None:
    filed = await hall.file(sender_id=17)
    assert await hall.complaint_clock.turn_all() == 0
    hall.clock.advance(3 * DAY)
    assert [await hall.complaint_clock.turn_all() for _ in range(2)] == [1, 0]
    hall.clock.advance(5 * DAY)
    assert [await hall.complaint_clock.turn_all() for _ in range(2)] == [1, 0]
    late = await Complaint.get(id=filed.id)
    assert (late.turn, late.overdue_at) == (Role.AUTHORITY, None)
    hall.clock.advance(8 * DAY)
    assert [await hall.complaint_clock.turn_all() for _ in range(2)] == [2, 0]
    late = await Complaint.get(id=filed.id)
    assert (late.turn, late.overdue_at is None) == (Role.AUTHORITY, False)
    await hall.answered(late)
    hall.clock.advance(12 * DAY)
    assert [await hall.complaint_clock.turn_all() for _ in range(2)] == [1, 0]
    closed = await Complaint.get(id=filed.id)
    assert (closed.status, closed.closed_how) == (ComplaintStatus.CLOSED, Closing.BY_TIME)
    assert (await topics("sender:17"))[-1] == "complaint.closed_by_time"
    hall.clock.advance(30 * DAY)
    over = hall.complaints.reopen(filed.id, reason="不满意。", by=CALLER)
    assert await refused(over) is ComplaintWindowOver


async def test_whoever_left_keeps_no_case_from_colleagues(hall: Hall) -> None:
    filed = await hall.file(sender_id=17, **OFFICIAL)
    gone, colleague = await hall.taken(filed), await hall.staff("oversight_body")
    assert await refused(hall.complaint_desk.claim(filed.id, actor=colleague)) is NotYourComplaint
    await Staff.filter(id=gone.id).update(disabled=True)
    await hall.complaints.urge(filed.id, by=CALLER)
    assert (await topics(f"role:oversight_body:{LISHUI}"))[-1] == "complaint.urged"
    await hall.complaint_desk.claim(filed.id, actor=colleague)
    assert (await Complaint.get(id=filed.id)).assigned_to == colleague.id


async def test_what_the_accused_reads_never_names_the_complainant(hall: Hall) -> None:
    order = await hall.order()
    person = await hall.handler_of(order.enterprise_id, name="李小红")
    filed = await hall.file(
        person_id=person.id, anonymous=True, subject=SubjectKind.ORDER, subject_id=order.id
    )
    actor = await hall.taken(filed)
    for words in ("李 小红反映", f"{await name_of(order.enterprise_id)}投诉贵单位"):
        asked = hall.handling.say(filed.id, EntryKind.REQUEST, words, actor=actor)
        assert await refused(asked) is ComplainantRevealed
    asked = hall.handling.say(filed.id, EntryKind.REQUEST, "请说明本项目的交付情况。", actor=actor)
    assert await refused(asked) is None


async def test_nobody_finds_out_who_stays_anonymous_by_what_is_refused(hall: Hall) -> None:
    order = await hall.order()
    person = await hall.handler_of(order.provider_id, name="李小红")
    others = {"person_id": person.id, "anonymous": True}
    nobody = await hall.file(**others)
    actor = await hall.taken(nobody)
    # Where nothing would be sent, nothing is compared.
    asked = hall.handling.say(nobody.id, EntryKind.REQUEST, "李小红", actor=actor)
    assert await refused(asked) is NobodyAccused
    assert await refused(hall.handling.hold(nobody.id, "李小红", actor=actor)) is HoldImpossible
    filed = await hall.file(**others)
    await Complaint.filter(id=filed.id).update(accused_id=order.provider_id)
    await hall.complaint_desk.claim(filed.id, actor=actor)
    # An accused side may be called by its name, also where its own people complain.
    own = await name_of(order.provider_id)
    guesses = (own, "李小红", "李小红", "李小红", "王芳", own)
    said = [
        await refused(hall.handling.say(filed.id, EntryKind.REQUEST, guess, actor=actor)) for guess in guesses
    ]
    assert said == [None, *[ComplainantRevealed] * 3, TooManyToday, TooManyToday]
    tries = await JournalEntry.filter(action="complaint.revealing_text_refused")
    assert [(one.actor, one.subject, one.data) for one in tries] == [
        (actor.name, f"complaint:{filed.id}", {})
    ] * 3


async def test_what_was_said_in_a_case_is_sealed_and_never_changed(hall: Hall) -> None:
    filed = await hall.file(sender_id=17, channel=Channel.MINI_PROGRAM)
    await hall.complaints.supplement(filed.id, "他们威胁我。", by=CALLER)
    entry = await ComplaintEntry.filter(kind=EntryKind.SUPPLEMENT).get()
    assert "威胁" not in entry.words_sealed and "验收" not in filed.happened_sealed
    with pytest.raises(Exception, match="append-only"):
        await ComplaintEntry.filter(id=entry.id).update(author="staff:1")


async def test_who_wrote_by_the_chat_finds_the_case_in_the_mini_program(hall: Hall) -> None:
    person = await hall.handler_of((await hall.order()).enterprise_id)
    sender = await ChatSender.create(
        account="official",
        openid_index="f" * 64,
        openid_sealed="",
        person_id=person.id,
        first_seen_at=hall.now,
    )
    filed = await hall.file(sender_id=sender.id)
    mine = await hall.complaints.of_complainant(person_id=person.id, sender_id=None)
    assert [row.id for row in mine] == [filed.id]
    other = await hall.handler_of((await hall.order()).enterprise_id)
    assert await hall.complaints.of_complainant(person_id=other.id, sender_id=None) == []


async def test_a_date_that_was_guessed_moves_nothing_until_the_year_is_published(hall: Hall) -> None:
    hall.clock.advance(datetime(2026, 12, 30, 2, tzinfo=UTC) - hall.clock.now())
    filed = await hall.file(sender_id=17)
    assert filed.due_provisional
    hall.clock.advance(20 * DAY)
    assert await hall.complaint_clock.escalate_overdue(LISHUI) == 0
    known = hall.working_days.calendar
    hall.working_days.calendar = replace(known, years=known.years | {2027})
    assert await hall.complaint_clock.recount() == 1
    assert not (await Complaint.get(id=filed.id)).due_provisional
    assert await hall.complaint_clock.escalate_overdue(LISHUI) == 1


async def test_only_files_of_ones_own_are_handed_in(hall: Hall) -> None:
    order = await hall.order()
    paper = await a_file(order.enterprise_id, DocumentKind.OTHER, LISHUI, hall.now)
    assert paper.uploaded_by != "sender:17"
    assert await refused(hall.file(sender_id=17, file_ids=(paper.id,))) is FilesUnknown
    person = await hall.handler_of(order.enterprise_id)
    kept = {name: getattr(paper, name) for name in paper._meta.db_fields if name != "id"}
    own = await StoredFile.create(**{**kept, "uploaded_by": f"person:{person.id}"})
    filed = await hall.file(person_id=person.id, file_ids=(own.id, own.id))
    (line,) = await hall.book.lines(filed, Audience.HANDLERS)
    assert [row.file_id for row in line.files] == [own.id]
    staff = await hall.staff("operator")
    scan = await StoredFile.create(**{**kept, "uploaded_by": staff.name, "organisation_id": None})
    letter = await hall.complaint_desk.record(
        Filing(
            channel=Channel.LETTER,
            subject=SubjectKind.OTHER,
            subject_id=None,
            programme_slug=LISHUI,
            happened="来信扫描件见附件。",
            since=None,
            wanted="",
            file_ids=(scan.id,),
            anonymous=True,
            name="",
            contact="",
            person_id=None,
            sender_id=None,
        ),
        actor=staff,
    )
    assert letter.channel is Channel.LETTER
