"""Reports and exports over HTTP: asked for, made by the clock, fetched, doubted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from server.gateways.sheet_press import SheetPress
from server.keys import EXPORTS
from server.services.exports.export_runs import ExportRuns
from tests.reporting import book_of
from tests.town import DAY, PROGRAMME, Caller, Town, a_town


@pytest.fixture
async def town(sqlite_url: str, redis_url: str) -> AsyncIterator[Town]:
    """What is counted, tests/services counts on both kinds of database."""
    async with a_town(sqlite_url, redis_url) as town:
        yield town


async def content_of(caller: Caller, path: str) -> tuple[str, bytes]:
    async with caller._client.get(f"/api/v1/{path}", headers=caller._headers) as response:
        assert response.status == 200, await response.text()
        return response.headers["Content-Type"], await response.read()


async def test_a_desk_sees_its_money_asks_for_lists_and_delivers_reports(town: Town) -> None:
    operator = await town.operator()
    round_id = await town.open_round(operator, pool_yuan=20_000)
    handler = await town.handler()
    mine = (await handler.get("organisations/mine")).body
    await town.grant(round_id, handler, mine["id"])

    desk = (await operator.get(f"desk?programme={PROGRAMME}")).body
    money = {one["state"]: one["amount_fen"] for one in desk["years"][0]["money"]}
    assert sum(money.values()) == 1_000_000_00

    kinds = (await operator.get("export-kinds")).body["kinds"]
    assert {"orders", "vouchers", "ledger"} <= {one["kind"] for one in kinds}
    asked = await operator.post("exports", kind="ledger", programme=PROGRAMME, format="xlsx")
    assert (asked.status, asked.body["status"]) == (201, "waiting")
    path = f"exports/{asked.body['id']}"
    early = await operator.get(f"{path}/file")
    assert (early.status, early.code) == (409, "export_not_ready")
    assert await ExportRuns(town.app[EXPORTS], SheetPress()).run_due() == 1
    done = (await operator.get(path)).body
    assert (done["status"], done["rows_done"]) == ("done", done["rows_total"])
    kind, file = await content_of(operator, f"{path}/file")
    assert "spreadsheetml" in kind
    assert len(file) == done["size_bytes"]
    assert len(book_of(file)["明细"]) == done["rows_total"] + 2
    assert (await (await town.operator()).get(path)).status == 404
    assert (await handler.get(path)).status == 404

    wrong = await operator.post("exports", kind="ledger", programme=PROGRAMME, status="done")
    assert (wrong.status, wrong.code) == (422, "export_filter_unknown")

    yesterday = (town.now - DAY).date()
    span = {"first": (yesterday - timedelta(days=30)).isoformat(), "last": yesterday.isoformat()}
    made = await operator.post("reports", programme=PROGRAMME, code="category_shares", **span)
    assert made.status == 201, made.body
    again = await operator.post("reports", programme=PROGRAMME, code="category_shares", **span)
    assert (again.status, again.code) == (422, "report_reason_missing")
    people = await operator.post("reports", programme="ningxia-2016", code="audit", **span)
    assert (people.status, people.code) == (409, "report_by_people")
    path = f"reports/{made.body['id']}"
    page = await content_of(operator, f"{path}/files/page")
    assert page[0] == "text/html; charset=utf-8"
    assert made.body["number"] in page[1].decode()
    assert (await content_of(operator, f"{path}/files/pdf"))[1].startswith(b"%PDF")
    assert (await operator.get(f"{path}/rows?figure=category_shares.used_fen")).body["rows"] == []
    live = await content_of(
        operator,
        f"report-counts?programme={PROGRAMME}&code=overview&first={span['first']}"
        f"&last={town.now.date()}&page=true",
    )
    assert "实时统计" in live[1].decode()
    listed = (await operator.get(f"reports?programme={PROGRAMME}")).body
    assert [one["id"] for one in listed["reports"]] == [made.body["id"]]
