"""A sanction over HTTP: proposed, heard, decided, read by everybody, appealed against, collected."""

from __future__ import annotations

import pytest

from server.models.sanctions import SanctionCase
from tests.ordering import admit, organisation_of
from tests.town import Town

DRAFT = "yinchuan-2024"
FACTS = "核查发现合同金额明显高于市场价格。"


@pytest.mark.rules("YC-37")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_from_the_proposal_to_the_public_list_and_off_it_again(town: Town) -> None:
    accused = await town.handler(name="晨光<精密>有限公司")
    organisation = await organisation_of(accused)
    programme = town.programmes.get(DRAFT)
    await admit(organisation, programme, programme.sanctions[1].against[0], town.now)
    one, two, three = [await town.staff("authority") for _ in range(3)]
    grounds = await one.get(f"sanction-grounds?programme={DRAFT}&party=enterprise")
    assert {ground["decided_by"] for ground in grounds.body["grounds"]} == {"authority"}
    case = {
        "programme": DRAFT,
        "organisation_id": organisation.id,
        "party": "enterprise",
        "ground": "inflated_price",
        "facts": FACTS,
        "orders": None,
        "vouchers": None,
    }
    unknown = await one.post("sanctions", **{**case, "ground": "ugly"})
    assert (unknown.status, unknown.code) == (422, "sanction_ground_unknown")
    made = await one.post("sanctions", **case)
    assert (made.status, made.body["status_said"]) == (201, "待决定"), made.body
    path, own = f"sanctions/{made.body['id']}", f"own-sanctions/{made.body['id']}"
    assert (await accused.get(own)).status == 404
    called = await one.post(f"{path}/hearing", version=made.body["version"])
    assert called.status == 200, called.body
    stated = await accused.post(f"{own}/statements", words="价格含设备，附清单。")
    assert [entry["words"] for entry in stated.body["statements"]] == ["价格含设备，附清单。"]
    shown = await two.get(f"{path}/preview")
    assert (shown.body["bars_person"], shown.body["announced_where"]) == (False, "向全市通报")
    decision = {
        "version": stated.body["version"],
        "preview": shown.body["digest"],
        "reason": "虚增价格属实",
    }
    mine = await one.post(f"{path}/decision", **decision)
    assert (mine.status, mine.code) == (403, "own_review")
    decided = await two.post(f"{path}/decision", **decision)
    assert (decided.status, decided.body["status"]) == (200, "decided"), decided.body
    again = await two.post(f"{path}/decision", **decision)
    assert (again.status, again.code) == (409, "sanction_moved_on")
    listed = await town.anybody.get(f"programmes/{DRAFT}/blocklist")
    (entry,) = listed.body["entries"]
    assert (entry["name"], entry["uscc"], entry["person"]) == (organisation.name, organisation.uscc, "")
    page = await town.client.get(f"/blocklist/{DRAFT}")
    text = await page.text()
    assert "晨光&lt;精密&gt;有限公司" in text
    assert "<精密>" not in text
    assert [row["id"] for row in (await accused.get("own-sanctions")).body["sanctions"]] == [entry["id"]]
    assert (await one.get(f"sanctions?programme={DRAFT}")).body["next_after"] is None

    filed = await accused.post(f"{own}/appeal", words="清单未被考虑。")
    assert filed.status == 201, filed.body
    version = (await SanctionCase.get()).version
    upheld = {"upheld": True, "reason": "清单属实", "version": version}
    assert (await two.post(f"{path}/appeal/answer", **upheld)).code == "own_review"
    undone = await three.post(f"{path}/appeal/answer", **upheld)
    assert (undone.status, undone.body["status"]) == (200, "reversed"), undone.body
    assert (await town.anybody.get(f"programmes/{DRAFT}/blocklist")).body["entries"] == []
