"""Proof over HTTP: what anybody can check, and the file of a case for whoever may have it."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest

from server.clock import CHINA
from server.gateways.sheet_press import SheetPress
from server.keys import EXPORTS, JOURNAL_SEALS
from server.services.exports.export_runs import ExportRuns
from tests.ordering import make_order, organisation_of
from tests.town import DAY, PROGRAMME, Town
from tools import verify_case


@pytest.mark.rules("GX-70", "GX-73")
async def test_an_entry_is_proved_to_anybody_and_each_side_fetches_its_own_file(
    town: Town, tmp_path: Path
) -> None:
    operator = await town.operator()
    enterprise, provider, stranger = [await town.handler() for _ in range(3)]
    order = await make_order(
        town.programmes.get(PROGRAMME),
        await organisation_of(enterprise),
        await organisation_of(provider),
        at=town.now,
    )
    seals = town.app[JOURNAL_SEALS]
    # Whoever wants to check the first day knows its key before it is signed.
    assert (await town.anybody.get("proof/days")).body["days"] == []
    (announced,) = (await town.anybody.get("proof/keys")).body["keys"]
    await seals.turn()
    town.clock.advance(timedelta(minutes=1))
    assert await seals.turn() > 0
    unproved = await town.anybody.get("proof/entries/1")
    assert (unproved.status, unproved.code) == (409, "entry_not_proved")
    # Signed before the day is over: tokens would end with it.
    assert await seals.close_days(before=(town.clock.now() + DAY).astimezone(CHINA).date()) == 1

    proved = (await town.anybody.get("proof/entries/1")).body
    said, position = proved["day"]["statement"], proved["position"]
    reached = verify_case.root_through(proved["hash"], position, said["count"], proved["path"])
    assert reached == said["root"]
    (key,) = (await town.anybody.get("proof/keys")).body["keys"]
    assert key == announced
    public = bytes.fromhex(key["public_key"])
    assert key["fingerprint"] == sha256(public).hexdigest()
    (day,) = (await town.anybody.get("proof/days")).body["days"]
    message = verify_case.DAY_DOMAIN + verify_case.canonical(said)
    assert verify_case.signed(public, bytes.fromhex(day["signature"]), message)
    unknown = await town.anybody.get("proof/entries/999999")
    assert (unknown.status, unknown.code) == (404, "not_found")

    whole, own = "case-files", f"orders/{order.id}/case-file"
    asked = await operator.post(whole, case=f"order:{order.id}")
    assert (asked.status, asked.body["status"], asked.body["file"]) == (202, "waiting", None)
    assert (await operator.post(whole, case=f"order:{order.id}")).body["number"] == asked.body["number"]
    for side in (enterprise, provider):
        assert (await side.post(own)).status == 202
    assert await ExportRuns(town.app[EXPORTS], SheetPress()).run_due() == 3
    for number, caller in enumerate((operator, enterprise, provider)):
        done = (await caller.get(own if number else f"{whole}?case=order:{order.id}")).body
        assert (done["status"], done["done"]) == ("done", done["total"])
        status, kind, raw = await caller.download(done["file"])
        assert (status, kind, len(raw)) == (200, "application/zip", done["size_bytes"])
        folder = tmp_path / str(number)
        zipfile.ZipFile(BytesIO(raw)).extractall(folder)
        manifest, verdict = verify_case.verify(verify_case.Archive(folder), [key["fingerprint"]])
        assert verdict.faults == []
        assert manifest["copy"] == ("official", "enterprise", "provider")[number]
        assert json.loads((folder / "manifest.json").read_bytes())["number"] == order.number
    assert (await stranger.post(own)).status == 404
    assert (await stranger.get(f"exports/{asked.body['export_id']}/file")).status == 404
    assert (await enterprise.post(whole, case=f"order:{order.id}")).status == 403
    unusable = await operator.post(whole, case="budget:1")
    assert (unusable.status, unusable.code) == (422, "case_name_unusable")
