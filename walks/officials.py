"""The officials: their accounts, the lists they import, and the cases they decide."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from aiohttp import ClientSession

from server.programme.model import Programme
from server.programme.vocabulary import Actor, Party
from walks.callers import Caller, Said, WalkFailed, member_of_staff
from walks.cast import Part
from walks.world import PASSWORD, World

OF_EACH_ROLE = 3
"""Nobody decides twice in one chain, and a chain may come to one role three times (YC-27)."""
REVIEWERS = (
    Actor.OPERATOR,
    Actor.AUTHORITY,
    Actor.DIVISION,
    Actor.TREASURY,
    Actor.EXPERT,
    Actor.INSPECTOR,
    Actor.DISTRICT,
)


class Officials:
    """Everybody who works on a programme, signed in; ``first`` of a role does what is no review."""

    def __init__(self, anybody: Caller, desks: dict[str, list[Caller]]) -> None:
        self.anybody = anybody
        self.desks = desks

    def first(self, role: Actor) -> Caller:
        return self.desks[role.value][0]

    async def look(self, case_id: int) -> dict[str, Any]:
        """A case, as whoever's turn it is sees it."""
        seen = await self.first(Actor.OPERATOR).get(f"reviews/{case_id}")
        case: dict[str, Any] = seen.must(200, f"the operator looks at case {case_id}")
        if case["turn"] in self.desks:
            seen = await self.desks[case["turn"]][0].get(f"reviews/{case_id}")
            case = seen.must(200, f"case {case_id} is shown to whose turn it is")
        return case

    async def decide(self, case_id: int, decision: str, **others: Any) -> Said:
        """Take the case's next step as somebody of the role who has not decided in it before."""
        case = await self.look(case_id)
        if case["turn"] == Actor.EXPERT.value and decision == "approve":
            opinion = {"version": case["version"], "score": 90, "reason": "材料齐全，能力匹配"}
            said = await self.desks[Actor.EXPERT.value][1].post(f"reviews/{case_id}/opinions", **opinion)
            case = said.must(200, f"an expert gives an opinion on case {case_id}")
        committee = {"held_on": case["opened_at"][:10]} if _kind(case) == "committee" else {}
        scored = {"score": 90} if case["turn"] == Actor.EXPERT.value else {}
        told = {"decision": decision, "version": case["version"], **committee, **scored, **others}
        return await self._free_desk(case).post(f"reviews/{case_id}/decision", **told)

    def _free_desk(self, case: dict[str, Any]) -> Caller:
        """Who has taken the case on; else somebody of the role who has not decided in it before."""
        decided = {one["reviewer"] for one in case["decisions"]}
        for number, desk in enumerate(self.desks[case["turn"]], 1):
            name = f"{case['turn']} {number}"
            if case["claimed_by_name"] == name or (not case["claimed_by"] and name not in decided):
                return desk
        raise WalkFailed(f"case {case['id']}: everybody of {case['turn']} has decided already")


def _kind(case: dict[str, Any]) -> str:
    return next((str(step["kind"]) for step in case["steps"] if step["state"] == "current"), "")


async def staff_up(http: ClientSession, world: World, programme: Programme) -> Officials:
    """The administrator makes an account for everybody; each changes the password that was handed over."""
    administrator = await member_of_staff(http, world, "administrator")
    desks: dict[str, list[Caller]] = defaultdict(list)
    for role in REVIEWERS:
        for number in range(1, OF_EACH_ROLE + 1):
            username = f"{role.value.replace('_', '-')}{number}"
            made = await administrator.post(
                "staff",
                username=username,
                display_name=f"{role.value} {number}",
                roles=[role.value],
                programmes=[programme.slug],
                areas=[programme.areas[0]] if role is Actor.DISTRICT else [],
            )
            once = made.must(201, f"{username} gets an account")["one_time_password"]
            first = await Caller(http, world.url).post("staff/sessions", username=username, password=once)
            token = first.must(201, f"{username} signs in for the first time")["access_token"]
            changed = await Caller(http, world.url, token).call(
                "PUT", "me/password", body={"current": once, "new": PASSWORD}
            )
            changed.must(204, f"{username} chooses a password")
            desks[role.value].append(await member_of_staff(http, world, username))
    return Officials(Caller(http, world.url), dict(desks))


async def publish_lists(officials: Officials, programme: Programme, parts: Sequence[Part]) -> None:
    """Import what the official lists say of the cast: labels, the providers' list, the blocklist."""
    holders: dict[str, list[Part]] = defaultdict(list)
    listed: list[Part] = []
    for part in parts:
        for label in part.labels:
            if programme.label(label).of is Party.PROVIDER:
                listed.append(part)
            else:
                holders[label].append(part)
    for label, held_by in holders.items():
        rows = [[part.uscc, part.name] for part in held_by]
        await _import(officials, "labels", programme, rows, ("统一社会信用代码", "企业名称"), label=label)
    if listed:
        rows = [[part.name, part.uscc, programme.label(part.labels[0]).name] for part in listed]
        await _import(officials, "providers", programme, rows, ("机构全称", "统一社会信用代码", "认定类别"))
    bans = [part for part in parts if part.ban]
    if bans:
        rows = [
            [
                part.uscc,
                part.name,
                "示例条款",
                "虚构合同",
                part.ban.since.isoformat(),
                part.ban.until.isoformat() if part.ban.until else "",
            ]
            for part in bans
            if part.ban
        ]
        header = ("统一社会信用代码", "企业名称", "依据条款", "事由", "起始日期", "截止日期")
        await _import(officials, "blocklist", programme, rows, header)


async def publish_label(officials: Officials, programme: Programme, label: str, part: Part) -> None:
    """A list gains a name in mid-year."""
    header = ("统一社会信用代码", "企业名称")
    await _import(officials, "labels", programme, [[part.uscc, part.name]], header, label=label)


async def _import(
    officials: Officials,
    kind: str,
    programme: Programme,
    rows: Iterable[Sequence[str]],
    header: Sequence[str],
    *,
    label: str = "",
) -> None:
    sheet = io.StringIO()
    csv.writer(sheet).writerows([header, *rows])
    content = sheet.getvalue().encode("utf-8-sig")
    told = {"programme": programme.slug, "label": label, "list_name": f"{label or kind} 名单"}
    desk = officials.first(Actor.OPERATOR)
    looked = await desk.send(f"imports/{kind}/preview", content, "text/csv", **told)
    preview = looked.must(200, f"the {kind} list is previewed")
    if not preview["ready"]:
        raise WalkFailed(f"the {kind} list has broken rows: {preview['rows']}")
    done = await desk.send(f"imports/{kind}", content, "text/csv", **told, fingerprint=preview["fingerprint"])
    done.must(201, f"the {kind} list is imported")
