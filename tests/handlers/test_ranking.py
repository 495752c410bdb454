"""A round that has closed: ranked once, published on its day, told on the next, checked by anybody."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from server.clock import CHINA
from server.models.applications import Application, Ranking, RankingEntry
from server.models.journal import JournalEntry
from server.models.ledger import LedgerEntry
from server.models.organisations import Organisation, Qualification
from server.models.outbox import OutboxMessage
from server.models.rounds import Round
from server.models.vouchers import Voucher
from server.rules.lifecycles import VoucherStatus
from server.units import yuan_to_fen
from tests.batch import DAY, FIRST, HOUR, MILLISECOND, MONDAY, PROGRAMME, Applicant, Batch, a_batch
from tests.town import Town

rules = pytest.mark.rules
TUESDAY = datetime(2020, 6, 23, tzinfo=CHINA)
WEDNESDAY = datetime(2020, 6, 24, tzinfo=CHINA)
SCRIPT = Path("tools/recompute_ranking.py")


@pytest.fixture
async def batch(town: Town) -> Batch:
    """An open round of 30,000 yuan on a Monday morning."""
    return await a_batch(town, pool_yuan=30_000)


async def positions(batch: Batch) -> list[tuple[int, int]]:
    """The list as it was made: organisation and what it was awarded, yuan."""
    rows = await RankingEntry.filter(round_id=batch.round_id, position__isnull=False).order_by("position")
    return [(row.enterprise_id, row.awarded_fen // 100) for row in rows]


async def held(applicant: Applicant) -> list[dict[str, Any]]:
    """What its wallet shows."""
    wallet = await (await applicant.caller()).get("vouchers")
    vouchers: list[dict[str, Any]] = wallet.body["vouchers"]
    return vouchers


@rules("GZ-12", "GZ-30")
async def test_priority_comes_first_then_arrival_and_the_money_goes_down_the_list(batch: Batch) -> None:
    early = await batch.asked(20_000)
    late = await batch.asked(5_000)
    first = await batch.asked(15_000, labels=FIRST)
    await batch.rank()
    assert await positions(batch) == [
        (first.organisation.id, 15_000),
        (early.organisation.id, 15_000),
        (late.organisation.id, 0),
    ]
    outcomes = [one.outcome for one in await RankingEntry.all().order_by("position")]
    assert outcomes == ["awarded", "partly", "waiting"]
    row = await Round.get(id=batch.round_id)
    assert (row.issued_fen, row.issued_count) == (yuan_to_fen(30_000), 2)
    vouchers = await Voucher.filter(round_id=batch.round_id).order_by("id")
    assert [(one.enterprise_id, one.face_value_fen, one.place) for one in vouchers] == [
        (first.organisation.id, yuan_to_fen(15_000), "1"),
        (early.organisation.id, yuan_to_fen(15_000), "2"),
    ]
    assert [one.number for one in vouchers] == [f"{row.id}-000001", f"{row.id}-000002"]
    assert {one.status for one in vouchers} == {VoucherStatus.ACTIVE}


@rules("GZ-30")
async def test_of_two_in_one_millisecond_the_one_taken_first_comes_first(batch: Batch) -> None:
    one = await batch.asked(10_000)
    other = await batch.asked(10_000, after=0 * MILLISECOND)
    arrivals = set(await Application.all().values_list("arrived_at", flat=True))
    assert len(arrivals) == 1
    await batch.rank()
    assert [who for who, _ in await positions(batch)] == [one.organisation.id, other.organisation.id]


@rules("GZ-12")
async def test_the_group_is_the_one_that_the_labels_say_at_closing_not_at_applying(batch: Batch) -> None:
    gained = await batch.asked(20_000)
    lost = await batch.asked(20_000, labels=FIRST)
    await Organisation.filter(id=gained.organisation.id).update(labels=["key_below_scale"])
    await Organisation.filter(id=lost.organisation.id).update(labels=[])
    await batch.rank()
    assert await positions(batch) == [(gained.organisation.id, 20_000), (lost.organisation.id, 10_000)]
    entry = await RankingEntry.get(enterprise_id=gained.organisation.id)
    assert (entry.priority, entry.group_code) == (True, "key_small")


async def test_who_lost_its_standing_since_is_not_ranked_and_is_told_why(batch: Batch) -> None:
    revoked, barred, kept = await batch.asked(100), await batch.asked(100), await batch.asked(100)
    withdrawn = await batch.asked(100)
    await withdrawn.withdraw(batch.round_id)
    await Qualification.filter(organisation_id=revoked.organisation.id).update(status="revoked")
    await (await batch.operator()).post(
        "blocklist",
        list_name="失信惩戒名单",
        uscc=barred.organisation.uscc,
        programme=PROGRAMME,
        clause="声明函三",
        reason="虚假材料",
    )
    await batch.rank()
    assert await positions(batch) == [(kept.organisation.id, 100)]
    page = (await _published(batch, "ranking")).body
    assert (page["ranked"], page["excluded"], len(page["entries"])) == (1, 2, 1)
    await batch.run(WEDNESDAY)
    for applicant, why in ((revoked, "not_qualified"), (barred, "barred")):
        result = (await applicant.sees(batch.round_id)).body["result"]
        assert (result["outcome"], result["position"]) == (why, None)
        told = await OutboxMessage.get(
            recipient=f"organisation:{applicant.organisation.id}", topic=f"application.{why}"
        )
        assert told.data["clause"]
    assert (await withdrawn.sees(batch.round_id)).body["result"] is None


@rules("GZ-21")
async def test_two_rounds_at_once_give_nobody_more_than_the_years_quota(batch: Batch) -> None:
    second = await batch.another_round(pool_yuan=30_000)
    greedy = await batch.asked(15_000)
    assert (await greedy.ask(second, 15_000)).status == 200
    batch.round_id, first = second, batch.round_id
    other = await batch.asked(20_000)
    await batch.rank()
    assert await positions(batch) == [(greedy.organisation.id, 5_000), (other.organisation.id, 20_000)]
    batch.round_id = first
    assert await positions(batch) == [(greedy.organisation.id, 15_000)]


async def test_a_round_is_ranked_once_and_stays_closed(batch: Batch) -> None:
    await batch.asked(20_000)
    await batch.rank()
    before = await LedgerEntry.all().count()
    assert await batch.ranked.rank(batch.round_id) is None
    await batch.town.run_jobs()
    assert await Ranking.all().count() == await Voucher.all().count() == 1
    assert await LedgerEntry.all().count() == before
    reopened = await (await batch.operator()).post(
        f"rounds/{batch.round_id}/reopen",
        closes_at=(batch.closes_at + DAY).isoformat(),
        reason="误操作，重新开放",
    )
    assert (reopened.status, reopened.code) == (409, "round_ranked")


async def test_a_round_nobody_applied_in_is_ranked_too(batch: Batch) -> None:
    await batch.rank()
    page = (await _published(batch, "ranking")).body
    assert (page["ranked"], page["entries"], page["awarded_fen"]) == (0, [], 0)


# -- the days ------------------------------------------------------------------------------------------


@rules("GZ-31")
async def test_the_list_is_out_on_the_next_working_day_and_the_account_shows_it_on_the_second(
    batch: Batch,
) -> None:
    winner, waiting = await batch.asked(20_000), await batch.asked(20_000)
    third = await batch.asked(20_000)
    await batch.rank()
    url = f"rounds/{batch.round_id}/ranking"
    batch.town.clock.at = TUESDAY - MILLISECOND
    for ending in ("", ".json", ".csv"):
        early = await batch.town.anybody.get(url + ending)
        assert (early.status, early.code, early.body["values"]["day"]) == (
            425,
            "result_not_out",
            "2020-06-23",
        )
    assert await held(winner) == []
    batch.town.clock.at = TUESDAY
    assert (await batch.town.anybody.get(url)).status == 200
    await batch.run(WEDNESDAY - HOUR)
    assert await held(winner) == []
    voucher = await Voucher.get(enterprise_id=winner.organisation.id)
    assert (await (await winner.caller()).get(f"vouchers/{voucher.id}")).status == 404
    seen = (await winner.sees(batch.round_id)).body
    assert (seen["result"], datetime.fromisoformat(seen["visible_at"])) == (None, WEDNESDAY)
    recipients = [f"organisation:{one.organisation.id}" for one in (winner, waiting, third)]
    assert await OutboxMessage.filter(recipient__in=recipients).count() == 0

    await batch.run(WEDNESDAY)
    assert [one["id"] for one in await held(winner)] == [voucher.id]
    result = (await winner.sees(batch.round_id)).body["result"]
    assert (result["outcome"], result["position"], result["voucher_id"]) == ("awarded", 1, voucher.id)
    result = (await third.sees(batch.round_id)).body["result"]
    assert (result["outcome"], result["position"], result["voucher_id"]) == ("waiting", 3, None)
    told = await OutboxMessage.filter(recipient__in=recipients).order_by("recipient")
    assert [one.topic for one in told] == ["voucher.granted", "voucher.granted", "application.waiting"]
    await batch.town.run_jobs()
    assert await OutboxMessage.filter(recipient__in=recipients).count() == 3


@rules("GZ-31")
async def test_holidays_are_not_counted_and_a_worked_sunday_is(batch: Batch) -> None:
    # Closed on Wednesday: Thursday and Friday are the Dragon Boat festival, Sunday is worked.
    await Round.filter(id=batch.round_id).update(closes_at=MONDAY + 2 * DAY)
    await batch.run(MONDAY + 2 * DAY)
    made = await Ranking.get(round_id=batch.round_id)
    days = (made.published_at.astimezone(CHINA), made.visible_at.astimezone(CHINA))
    assert days == (datetime(2020, 6, 28, tzinfo=CHINA), datetime(2020, 6, 29, tzinfo=CHINA))
    assert not made.provisional


@rules("GZ-33")
async def test_thirty_natural_days_to_order_begin_with_the_publication(batch: Batch) -> None:
    winner = await batch.asked(20_000)
    await batch.rank()
    await batch.run(WEDNESDAY)
    (voucher,) = await held(winner)
    # Published on 23 June: until the end of 23 July.
    assert datetime.fromisoformat(voucher["order_deadline"]) == datetime(2020, 7, 24, tzinfo=CHINA)
    public = (await batch.town.anybody.get(f"rounds/{batch.round_id}")).body
    assert public["order_deadline"] == voucher["order_deadline"]


async def test_a_server_that_was_away_publishes_as_soon_as_it_is_back(batch: Batch) -> None:
    winner = await batch.asked(20_000)
    back = datetime(2020, 7, 1, 9, tzinfo=CHINA)
    await batch.run(back)
    made = await Ranking.get(round_id=batch.round_id)
    assert made.published_at == made.visible_at == made.ranked_at
    await batch.town.run_jobs()
    (voucher,) = await held(winner)
    # Nobody loses the days on which nothing could be seen.
    assert datetime.fromisoformat(voucher["order_deadline"]) == datetime(2020, 8, 1, tzinfo=CHINA)


# -- the list ------------------------------------------------------------------------------------------


async def _published(batch: Batch, path: str) -> Any:
    batch.town.clock.at = TUESDAY
    return await batch.town.anybody.get(f"rounds/{batch.round_id}/{path}")


async def _file(batch: Batch, ending: str, folder: Path) -> Path:
    """The list as anybody downloads it."""
    batch.town.clock.at = TUESDAY
    url = f"/api/v1/rounds/{batch.round_id}/ranking.{ending}"
    async with batch.town.client.get(url) as response:
        assert response.status == 200
        assert "attachment" in response.headers["Content-Disposition"]
        file = folder / f"ranking.{ending}"
        file.write_bytes(await response.read())
        return file


def recomputed(file: Path) -> tuple[int, str]:
    """What the separate script says of a list, run as anybody runs it: by a bare Python."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), str(file)], capture_output=True, text=True, check=False
    )
    assert not done.stderr
    return done.returncode, done.stdout


@rules("GZ-30")
async def test_anybody_computes_the_published_list_again(batch: Batch, tmp_path: Path) -> None:
    await batch.asked(12_000)
    await batch.asked(7_000, name="=cmd|'/c calc'!A1 公司")
    await batch.asked(9_000, labels=FIRST)
    await batch.asked(6_000, labels=FIRST, legal_form="individual", name="张三文具店")
    await batch.rank()
    page = (await _published(batch, "ranking")).body
    names = [(one["position"], one["name"], one["awarded_fen"] // 100) for one in page["entries"]]
    assert [one[::2] for one in names] == [(1, 9_000), (2, 6_000), (3, 12_000), (4, 3_000)]
    assert names[1][1] == "张**"
    assert page["tie_break"]
    assert page["groups"][3]["code"] == page["entries"][0]["group"] == "monitored"
    said = "4 positions, 3000000 of 3000000 fen, 0 differences"
    for ending in ("json", "csv"):
        status, told = recomputed(await _file(batch, ending, tmp_path))
        assert (status, told.strip()) == (0, f"round {batch.round_id}: {said}")
    csv = (tmp_path / "ranking.csv").read_bytes()
    assert csv.startswith(b"\xef\xbb\xbf")
    assert "'=cmd" in csv.decode()
    ranked = await JournalEntry.get(subject=f"round:{batch.round_id}", action="round.ranked")
    assert ranked.data["sha256"] == page["sha256"]


Change = Callable[[dict[str, Any]], None]


def _swap(found: dict[str, Any]) -> None:
    one, two = found["entries"][1:3]
    one["name"], two["name"] = two["name"], one["name"]


def _jump(found: dict[str, Any]) -> None:
    entries = found["entries"]
    entries[1], entries[2] = entries[2], entries[1]
    for number, entry in enumerate(entries, 1):
        entry["position"] = number


def _more(found: dict[str, Any]) -> None:
    found["entries"][2]["awarded_fen"] += 1


def _earlier(found: dict[str, Any]) -> None:
    found["entries"][2]["arrived_at"] = "2020-06-22T02:00:00.000Z"


def _first(found: dict[str, Any]) -> None:
    found["entries"][2]["priority"] = True


def _gone(found: dict[str, Any]) -> None:
    del found["entries"][0]


def _pool(found: dict[str, Any]) -> None:
    found["pool_fen"] += 100


@rules("GZ-30")
@pytest.mark.parametrize("change", [_swap, _jump, _more, _earlier, _first, _gone, _pool])
async def test_a_list_that_was_altered_is_caught(batch: Batch, tmp_path: Path, change: Change) -> None:
    for amount in (12_000, 11_000, 10_000):
        await batch.asked(amount)
    await batch.rank()
    file = await _file(batch, "json", tmp_path)
    assert recomputed(file)[0] == 0
    found = json.loads(file.read_text())
    change(found)
    file.write_text(json.dumps(found))
    status, told = recomputed(file)
    assert status == 1
    assert "SHA-256" in told


async def test_an_order_that_does_not_follow_is_caught_even_with_a_sha256_of_its_own(
    batch: Batch, tmp_path: Path
) -> None:
    for amount in (12_000, 11_000, 10_000):
        await batch.asked(amount)
    await batch.rank()
    found = json.loads((await _file(batch, "json", tmp_path)).read_text())
    _jump(found)
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(found))
    claimed = recomputed(forged)[1].partition("list is ")[2].partition(",")[0]
    forged.write_text(json.dumps({**found, "sha256": claimed}))
    status, told = recomputed(forged)
    assert status == 1
    assert "SHA-256" not in told
    assert "position 2" in told


async def test_a_page_of_the_list_ends_where_the_next_begins(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.handlers.ranking.PAGE", 2)
    for _ in range(3):
        await batch.asked(100)
    await batch.rank()
    first = (await _published(batch, "ranking")).body
    rest = (await _published(batch, f"ranking?after={first['next_after']}")).body
    assert [one["position"] for one in first["entries"] + rest["entries"]] == [1, 2, 3]
    assert (first["next_after"], rest["next_after"]) == (2, None)


async def test_a_list_keeps_the_names_it_was_made_with(batch: Batch) -> None:
    one = await batch.asked(100, name="旧名有限公司")
    await batch.rank()
    await Organisation.filter(id=one.organisation.id).update(name="新名有限公司")
    assert (await _published(batch, "ranking")).body["entries"][0]["name"] == "旧名有限公司"


async def test_no_line_of_a_list_is_ever_changed(batch: Batch) -> None:
    await batch.asked(100)
    await batch.rank()
    for change in (RankingEntry.all().update(awarded_fen=1), RankingEntry.all().delete()):
        with pytest.raises(Exception, match="append-only"):
            await change


async def test_a_round_that_is_not_ranked_has_no_list(batch: Batch, town: Town) -> None:
    assert (await town.anybody.get("rounds/999999/ranking")).status == 404
    waiting = await town.anybody.get(f"rounds/{batch.round_id}/ranking")
    # Still open: the day is known beforehand.
    assert (waiting.status, waiting.body["values"]["day"]) == (425, str(date(2020, 6, 23)))
    town.clock.at = datetime(2026, 5, 18, 2, tzinfo=CHINA)
    grabbed = await town.open_round(await batch.operator())
    assert (await town.anybody.get(f"rounds/{grabbed}/ranking")).status == 404
    assert await JournalEntry.filter(action="round.ranked").count() == 0
