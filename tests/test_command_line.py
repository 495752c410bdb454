"""The command line: what an operator does by hand, with an exit status that a script can trust."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from server.__main__ import RESTORED_EPOCHS, main
from server.sealing import Sealer
from server.texts import PASSWORD_RULES, REFUSALS

ROOT = Path(__file__).parent.parent
GOOD = "Correct-horse-7"
INSERT_BUDGET = (
    "INSERT INTO budget (programme_slug, programme_version, year, total_fen, allotted_fen, committed_fen,"
    " on_file_fen, fees_fen, returned_fen, issued_count, epoch, version, lock_number, created_at)"
    " VALUES ('lishui-2024', '2024', ?, ?, 0, 0, 0, 0, 0, 0, ?, 0, 0, '2026-05-18 02:00:00+00:00')"
)

Run = Callable[..., tuple[int, list[str], list[str]]]


@pytest.fixture
def file(sqlite_url: str) -> str:
    """The migrated SQLite file that the commands work on."""
    return sqlite_url.removeprefix("sqlite://")


@pytest.fixture
def run(file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command: its exit status, what it printed, and what it complained of."""
    monkeypatch.setenv("QIQUAN_MODE", "test")
    monkeypatch.setenv("QIQUAN_DATABASE_URL", f"sqlite://{file}")

    def command(*arguments: str, password: str = "") -> tuple[int, list[str], list[str]]:
        monkeypatch.setenv("QIQUAN_STAFF_PASSWORD", password)
        try:
            status = main(list(arguments))
        except SystemExit as ended:  # argparse ends the process itself
            status = int(ended.code or 0)
        printed = capsys.readouterr()
        return status, printed.out.splitlines(), printed.err.splitlines()

    return command


@pytest.fixture
def rows(file: str) -> Iterator[sqlite3.Connection]:
    """The file as SQLite itself sees it; every statement takes effect at once."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        yield connection


# -- jobs ---------------------------------------------------------------------------------------------


def test_jobs_prints_what_runs_when_and_how_it_went(run: Run, rows: sqlite3.Connection) -> None:
    status, printed, _ = run("jobs")
    assert status == 0
    lines = {tuple(line.split()[:2]): line for line in printed}
    assert "every 5 s" in lines["close_rounds", "-"]
    assert "never" in lines["close_rounds", "-"]
    assert "daily 09:00" in lines["send_reminders", "lishui-2024"]

    rows.execute(
        "INSERT INTO job_run (job, programme_slug, slot, status, worker, attempts, started_at, leased_until,"
        " finished_at, count, error) VALUES ('close_rounds', '', '2026-05-18 02:00:00+00:00', 'done', 'w', 1,"
        " '2026-05-18 02:00:00+00:00', '2026-05-18 02:01:00+00:00', '2026-05-18 02:00:01+00:00', 4, '')"
    )
    status, printed, _ = run("jobs")
    (line,) = (line for line in printed if line.startswith("close_rounds"))
    assert (status, line.split()[5:9]) == (0, ["2026-05-18", "10:00:00", "done", "4"])

    rows.execute("UPDATE job_run SET status = 'failed', error = 'LookupError'")
    status, printed, _ = run("jobs")
    assert status == 1
    assert any("failed (LookupError)" in line for line in printed)


# -- data keys ----------------------------------------------------------------------------------------


def test_personal_data_is_sealed_anew_until_an_old_key_seals_nothing(
    run: Run, rows: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = "the-old-secret-of-this-test-long-enough", "the-new-secret-of-this-test-long-enough"
    for number, sealer in enumerate((Sealer({"a": old}), Sealer({"lost": old}))):
        rows.execute(
            "INSERT INTO person (account, name, openid_sealed, unionid_index, phone_sealed, disabled,"
            " session_version, created_at) VALUES (?, '', '', 'u', ?, 0, 0, '2026-05-18 02:00:00+00:00')",
            (f"p{number}", sealer.seal("13812345678")),
        )
    monkeypatch.setenv("QIQUAN_DATA_KEYS", f"b={new},a={old}")
    status, printed, told = run("data-keys", "reseal")
    assert (status, printed, told[-1]) == (
        1,
        [
            "person: 1 texts sealed anew with b",
            "lost: 1 texts that no key here opens, left as they are",
            "keyed hashes of what is kept nowhere, each found by the key that made it: person 2",
            "a: run this again, once every server was started with b first",
        ],
        "person: 1",
    )
    rows.execute("DELETE FROM person WHERE account = 'p1'")
    assert run("data-keys", "reseal")[:2] == (0, [printed[2].replace("2", "1"), "a: seals nothing"])
    monkeypatch.setenv("QIQUAN_DATA_KEYS", f"b={new}")
    assert run("data-keys", "reseal")[:2] == (0, [])


# -- journal ------------------------------------------------------------------------------------------


@pytest.mark.rules("GX-70")
def test_the_journal_is_sealed_and_verified_by_hand_and_a_changed_word_is_an_exit_status(
    run: Run, rows: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QIQUAN_SEAL_KEYS_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("QIQUAN_ANCHOR_FILE", str(tmp_path / "kept" / "days.jsonl"))
    for number in (1, 2):
        rows.execute(
            "INSERT INTO journal_entry (at, action, actor, subject, programme_slug, data)"
            " VALUES ('2026-05-18 02:00:00+00:00', 'order.moved', 'staff:3', 'order:1', '', ?)",
            (f'{{"step": {number}}}',),
        )
    status, printed, _ = run("journal", "seal", "--at-once", "--close-day")
    assert (status, printed) == (0, ["journal: 2 entries chained, 1 days signed, 1 hashes kept outside"])
    status, printed, _ = run("journal", "verify", "--case", "order:1")
    assert (status, printed[-1].endswith("verified")) == (0, True)
    # Nothing was looked at, so nothing is verified.
    status, printed, told = run("journal", "verify", "--case", "order:999")
    assert (status, printed, "order:999" in told[-1]) == (2, [], True)
    rows.execute("DROP TRIGGER journal_entry_no_UPDATE")
    rows.execute("UPDATE journal_entry SET data = '{\"step\": 3}' WHERE id = 2")
    status, printed, _ = run("journal", "verify")
    assert status == 1
    assert printed[0] == "changed: entry 2 (order:1 no. 2) is not what was sealed"
    assert run("journal", "rotate")[0] == 0
    next((tmp_path / "keys").glob("*.pub")).write_text("no key")
    assert run("journal", "verify", "--since", "2026-01-01")[0] == 2


# -- staff --------------------------------------------------------------------------------------------


def test_an_operator_is_made_with_a_password_that_is_not_stored(run: Run, rows: sqlite3.Connection) -> None:
    status, said, _ = run("staff", "create", "zhang.wei", "--role", "operator", password=GOOD)
    assert (status, said) == (0, ["zhang.wei may now sign in as operator."])
    ((name, kept, roles),) = rows.execute("SELECT username, password_hash, roles FROM staff")
    assert (name, roles) == ("zhang.wei", '["operator"]')
    assert kept.startswith("$argon2id$")
    assert GOOD not in "\n".join(rows.iterdump())
    (deeds,) = rows.execute("SELECT group_concat(action) FROM journal_entry")
    assert deeds == ("staff.created",)


def test_everything_that_a_weak_password_lacks_is_said_and_nobody_is_made(
    run: Run, rows: sqlite3.Connection
) -> None:
    status, _, said = run("staff", "create", "zhang", "--role", "operator", password="zhang")
    assert status == 1
    assert said == [
        REFUSALS["weak_password"],
        f"- {PASSWORD_RULES['password_length']}",
        f"- {PASSWORD_RULES['password_variety']}",
        f"- {PASSWORD_RULES['password_holds_username']}",
    ]
    assert rows.execute("SELECT count(*) FROM staff").fetchone() == (0,)


@pytest.mark.parametrize("name", ["Zhang", "zh", "1zhang", "zhang wei", "张伟"])
def test_an_unusable_name_is_refused(run: Run, name: str) -> None:
    status, _, said = run("staff", "create", name, "--role", "operator", password=GOOD)
    assert (status, said) == (1, [REFUSALS["username_unusable"]])


def test_a_name_is_taken_once(run: Run, rows: sqlite3.Connection) -> None:
    assert run("staff", "create", "zhang", "--role", "operator", password=GOOD)[0] == 0
    status, _, said = run("staff", "create", "zhang", "--role", "operator", password=GOOD + "!")
    assert (status, said) == (1, [REFUSALS["username_taken"].format(username="zhang")])
    assert rows.execute("SELECT count(*) FROM staff").fetchone() == (1,)


@pytest.mark.parametrize("arguments", [("--role", "emperor"), (), ("--role",)])
def test_a_role_is_one_of_those_there_are(
    run: Run, rows: sqlite3.Connection, arguments: tuple[str, ...]
) -> None:
    status, _, said = run("staff", "create", "zhang", *arguments, password=GOOD)
    assert status == 2
    assert "--role" in said[-1]
    assert rows.execute("SELECT count(*) FROM staff").fetchone() == (0,)


@pytest.mark.parametrize(
    ("arguments", "code", "values"),
    [
        (("--role", "administrator", "--role", "operator"), "duties_incompatible", {"role": "administrator"}),
        (("--role", "district"), "district_without_area", {}),
        (("--role", "expert", "--programme", "nowhere-2024"), "unknown_programme", {}),
    ],
)
def test_duties_that_cannot_be_make_nobody(
    run: Run, rows: sqlite3.Connection, arguments: tuple[str, ...], code: str, values: dict[str, str]
) -> None:
    status, _, said = run("staff", "create", "zhang", *arguments, password=GOOD)
    assert (status, said) == (1, [REFUSALS[code].format(**values)])
    assert rows.execute("SELECT count(*) FROM staff").fetchone() == (0,)


def test_an_account_is_bound_to_programmes_and_areas(run: Run, rows: sqlite3.Connection) -> None:
    bounds = ("--programme", "lishui-2024", "--area", "浙江省/丽水市/莲都区")
    assert run("staff", "create", "zhang", "--role", "district", *bounds, password=GOOD)[0] == 0
    ((programmes, areas),) = rows.execute("SELECT programmes, areas FROM staff")
    assert (json.loads(programmes), json.loads(areas)) == (["lishui-2024"], ["浙江省/丽水市/莲都区"])


def test_a_lost_authenticator_is_taken_off_by_hand(run: Run, rows: sqlite3.Connection) -> None:
    run("staff", "create", "zhang", "--role", "administrator", password=GOOD)
    rows.execute("UPDATE staff SET totp_sealed = 'x', totp_confirmed_at = created_at")
    rows.commit()
    assert run("staff", "recover", "zhang")[0] == 0
    (kept,) = rows.execute("SELECT totp_sealed, totp_confirmed_at, session_version FROM staff")
    assert kept == ("", None, 2)
    status, _, said = run("staff", "recover", "nobody")
    assert (status, said) == (1, [REFUSALS["not_found"]])


# -- the evidence ------------------------------------------------------------------------------------


def test_the_evidence_of_an_empty_house_is_whole(run: Run) -> None:
    assert run("files", "verify") == (0, ["files: 0 faults"], [])


# -- the books ----------------------------------------------------------------------------------------


def test_the_books_of_an_empty_house_balance(run: Run) -> None:
    assert run("ledger", "verify") == (0, ["ledger: 0 faults, books balanced"], [])


def test_books_that_do_not_balance_are_told_with_their_sums_and_a_status(
    run: Run, rows: sqlite3.Connection
) -> None:
    rows.execute(INSERT_BUDGET, (2026, 123_456, 1))
    assert run("ledger", "verify") == (
        1,
        [
            "budget 1: free, against the ledger: 1,234.56 is not 0.00",
            "ledger: 1 faults, books do not balance",
        ],
        [],
    )


# -- after a restore ----------------------------------------------------------------------------------


def test_after_a_restore_every_launch_is_fenced_above_whatever_redis_remembers(
    run: Run, rows: sqlite3.Connection
) -> None:
    rows.execute(INSERT_BUDGET, (2025, 0, 7))
    rows.execute(INSERT_BUDGET, (2026, 0, 41))
    status, said, _ = run("launch", "restored")
    assert (status, said) == (0, ["launch: 2 budgets fenced against everything that Redis remembers"])
    assert rows.execute("SELECT epoch FROM budget ORDER BY id").fetchall() == [
        (7 + RESTORED_EPOCHS,),
        (41 + RESTORED_EPOCHS,),
    ]


# -- the rest -----------------------------------------------------------------------------------------


def test_migrating_twice_does_nothing_the_second_time(run: Run, rows: sqlite3.Connection) -> None:
    before = list(rows.iterdump())
    assert run("migrate")[0] == 0
    assert list(rows.iterdump()) == before


def test_migrating_makes_the_directory_and_the_database(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = tmp_path / "var" / "lib" / "new.sqlite3"
    monkeypatch.setenv("QIQUAN_DATABASE_URL", f"sqlite://{new}")
    assert run("migrate")[0] == 0
    assert run("ledger", "verify")[0] == 0
    assert new.exists()


def test_demo_data_stays_out_of_every_other_mode(run: Run, rows: sqlite3.Connection) -> None:
    status, said, complaints = run("demo", "seed")
    assert (status, said) == (1, [])
    assert complaints == ["Demo data belongs into demo mode only: set QIQUAN_MODE=demo."]
    assert rows.execute("SELECT count(*) FROM staff").fetchone() == (0,)


def test_a_setting_that_nobody_knows_stops_every_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIQUAN_DATABSE_URL", "sqlite://elsewhere")
    status, _, said = run("ledger", "verify")
    assert (status, len(said)) == (1, 1)
    assert said[0].startswith("The environment sets QIQUAN_DATABSE_URL, which no setting is called")


@pytest.mark.parametrize("arguments", [(), ("launch",), ("serve", "now"), ("nonsense",)])
def test_what_is_no_command_is_answered_with_the_usage(run: Run, arguments: tuple[str, ...]) -> None:
    status, _, said = run(*arguments)
    assert (status, said[0].split()[:4]) == (2, ["usage:", "python", "-m", "server"])


def test_it_is_run_as_a_module_from_anywhere(file: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "server", "ledger", "verify"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "QIQUAN_MODE": "test", "QIQUAN_DATABASE_URL": f"sqlite://{file}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "ledger: 0 faults, books balanced\n")
