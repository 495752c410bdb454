"""Complaints: the ladder of each text, the house's defaults where it is silent, dates, audiences, moves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.programme.complaints import load_complaint_defaults
from server.programme.faults import ProgrammeError
from server.programme.holidays import load_working_calendar
from server.programme.registry import Programmes
from server.programme.vocabulary import Actor, Party
from server.rules.complaints import (
    AUDIENCES,
    CALLED_IN,
    COMPLAINT_MAY,
    COMPLAINT_MOVES,
    Audience,
    ComplaintAct,
    ComplaintStatus,
    EntryKind,
    Ladder,
    SubjectKind,
    confirm_until,
    due_dates,
    ladder_of,
    reopen_until,
    reveals,
    sanction_proposed,
    urge_again_at,
)
from server.rules.deadlines import day_of

FILE = Path("config/complaints.toml")
DEFAULTS = load_complaint_defaults(FILE)
CALENDAR = load_working_calendar(Path("config/holidays"))
MONDAY = datetime(2026, 5, 18, 2, tzinfo=UTC)
SAYS = "平台默认规则，办法未作规定"


@pytest.fixture(scope="module")
def programmes() -> Programmes:
    return Programmes.load(Path("config/programmes"))


def ladder(programmes: Programmes, slug: str) -> Ladder:
    return ladder_of(programmes.get(slug), DEFAULTS)


@pytest.mark.rules("LS-80", "LS-81", "LS-82", "LS-83")
def test_the_ladder_of_the_text_rests_on_its_clause(programmes: Programmes) -> None:
    lishui = ladder(programmes, "lishui-2024")
    assert [rung.handled_by for rung in lishui.rungs] == [
        Actor.OPERATOR,
        Actor.AUTHORITY,
        Actor.OVERSIGHT_BODY,
    ]
    text = programmes.get("lishui-2024").complaints
    assert text is not None and (text.by, text.channels) == (Actor.BOTH, ("来电", "来访", "来信"))
    assert lishui.basis == "五（三）"
    assert lishui.rungs[0].methods == ("电话回访", "实地调查", "分析研判")
    assert (lishui.mailbox, lishui.above(0), lishui.above(1), lishui.above(2)) == (2, 1, None, None)
    # The text names no number of days: the house's stands there, and says so.
    assert not any(lishui.names_answer_days(place) for place in range(3))


@pytest.mark.parametrize("slug", ["yinchuan-2024", "guangxi-2024", "ningxia-2016", "guangzhou-2020", ""])
def test_where_a_text_is_silent_the_houses_defaults_hold_and_are_nobodys_clause(
    programmes: Programmes, slug: str
) -> None:
    programme = programmes.get(slug) if slug else None
    default = ladder_of(programme, DEFAULTS)
    assert programme is None or programme.complaints is None
    assert (default.basis, default.article) == (SAYS, "")
    assert all(rung.assumed and not rung.article for rung in default.rungs)
    assert default.first(SubjectKind.ORDER) == 0
    assert default.first(SubjectKind.OFFICIAL) == default.mailbox


def test_a_text_without_a_mailbox_gets_the_houses_and_its_own_days_go_before() -> None:
    invented = Programmes.load(Path("tests/programmes/invented"))
    northport = ladder(invented, "northport-2031")
    assert [rung.handled_by for rung in northport.rungs] == [Actor.TREASURY, Actor.OVERSIGHT_BODY]
    hillside = ladder(invented, "hillside-2032")
    assert (len(hillside.rungs), hillside.mailbox, hillside.answer_days(0)) == (1, 0, 30)


@pytest.mark.rules("LS-81")
def test_dates_count_working_days_and_not_the_day_itself(programmes: Programmes) -> None:
    dates = due_dates(ladder(programmes, "lishui-2024"), 0, CALENDAR, MONDAY)
    assert dates.receipt.last_day.isoformat() == "2026-05-20"
    assert dates.half_way.last_day.isoformat() == "2026-05-20"
    assert dates.answer.last_day.isoformat() == "2026-05-25"
    lishui = ladder(programmes, "lishui-2024")
    assert day_of(confirm_until(lishui, CALENDAR, MONDAY)).isoformat() == "2026-05-28"
    assert day_of(reopen_until(lishui, CALENDAR, MONDAY)).isoformat() == "2026-06-09"
    assert day_of(urge_again_at(lishui, CALENDAR, day_of(MONDAY))).isoformat() == "2026-05-21"


def test_what_a_complainant_says_no_accused_side_reads() -> None:
    theirs = {kind for kind, audience in AUDIENCES.items() if Audience.ACCUSED in audience}
    assert theirs == CALLED_IN | {EntryKind.STATEMENT}
    assert all(Audience.HANDLERS in audience for audience in AUDIENCES.values())
    inside = {kind for kind, audience in AUDIENCES.items() if audience == {Audience.HANDLERS}}
    assert EntryKind.NOTE in inside and EntryKind.PROPOSED in inside
    assert AUDIENCES.keys() == set(EntryKind)


def test_every_state_is_left_or_final_and_says_what_it_permits() -> None:
    assert COMPLAINT_MOVES.keys() == COMPLAINT_MAY.keys() == set(ComplaintStatus)
    reached = {target for targets in COMPLAINT_MOVES.values() for target in targets}
    assert reached == set(ComplaintStatus)
    assert not COMPLAINT_MAY[ComplaintStatus.WITHDRAWN]
    assert {act for acts in COMPLAINT_MAY.values() for act in acts} == set(ComplaintAct)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("王芳反映未交付", True),
        ("王 芳 反映", True),
        ("请拨 139-0000-1111", True),
        ("请拨１３９", False),
        ("王先生反映", False),
        ("", False),
    ],
)
def test_a_text_that_names_the_complainant_is_seen(words: str, found: bool) -> None:
    assert reveals(words, ["王芳", "13900001111", "", "A"]) is found


@pytest.mark.rules("GX-79")
def test_a_verified_complaint_leads_to_the_sanction_that_names_it(programmes: Programmes) -> None:
    guangxi = sanction_proposed(programmes.get("guangxi-2024"), Party.PROVIDER)
    assert guangxi is not None and guangxi.code == "violation"
    assert sanction_proposed(programmes.get("lishui-2024"), Party.PROVIDER) is None
    assert sanction_proposed(None, Party.PROVIDER) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("answer_working_days = 5", "answer_working_days = 0"),
        ("urge_working_days = 2", "urge_days = 2"),
        ("bypasses_operator = true", "bypasses_operator = false"),
        ('says = "平台默认规则，办法未作规定"', ""),
        ("assumed = true", "assumed = false"),
    ],
)
def test_a_faulty_file_of_defaults_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = FILE.read_text("utf-8")
    assert old in text
    faulty = tmp_path / "complaints.toml"
    faulty.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(ProgrammeError):
        load_complaint_defaults(faulty)
