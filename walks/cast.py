"""The cast: who takes part in a programme, drawn from its own conditions.

For every condition that can be broken by what somebody fills in or by what an official list says, one
organisation breaks it and nothing else; the others meet all of them, tier by tier and group by group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import cycle
from typing import Any

from stdnum.cn.uscc import calc_check_digit

from server.clock import CHINA
from server.programme.model import Programme
from server.programme.people import Condition, ConditionKind
from server.programme.vocabulary import LegalForm, Party, SizeClass

FAR_AWAY = "海南省/三沙市/西沙区"
PROVIDERS = 8
"""How many that are fit to provide; the misfits come on top."""
LEAST_FIT = 8
"""Enterprises that meet every condition, however small a whole cast."""
SAMPLE = 10
"""A cast of at most so many is a sample: one misfit and two who provide, and enterprises for the rest."""
HUGE_FEN = 900_000_000_000


@dataclass(frozen=True, slots=True)
class Ban:
    """An entry of a blocklist; days of the programme's clock, ``until`` the last one."""

    since: date
    until: date | None


@dataclass(slots=True, kw_only=True)
class Part:
    """One organisation and what becomes of it.

    ``breaks``  the code of the condition it does not meet; empty: it is to be approved
    ``stopped`` the refusal that ends its registration before anybody reviews it
    ``turn``    what happens on its way: ``returned``, ``incomplete``, ``mistyped`` or nothing
    """

    name: str
    uscc: str
    party: Party
    facts: dict[str, Any]
    answers: dict[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    ban: Ban | None = None
    breaks: str = ""
    stopped: str = ""
    turn: str = ""


def cast(programme: Programme, today: date, size: int) -> list[Part]:
    """So many organisations: providers, misfits of both kinds, and enterprises for the rest."""
    is_sample = size <= SAMPLE
    parts = [*_misfits(programme, Party.ENTERPRISE, today), *_misfits(programme, Party.PROVIDER, today)]
    if is_sample:
        parts = parts[:1]
    parts += [_fit(programme, Party.PROVIDER, today) for _ in range(2 if is_sample else PROVIDERS)]
    grades = cycle(_grades(programme))
    for _ in range(max(size - len(parts), 1 if is_sample else LEAST_FIT)):
        enterprise = _fit(programme, Party.ENTERPRISE, today)
        enterprise.labels = tuple({*enterprise.labels, *next(grades)})
        parts.append(enterprise)
    for turn, part in zip(("returned", "incomplete", "mistyped"), reversed(parts), strict=False):
        part.turn = turn
    for number, part in enumerate(parts, 1):
        part.name = part.name or f"{programme.slug}第{number}号有限公司"
        part.uscc = _uscc(programme.slug, number)
    return parts


def _grades(programme: Programme) -> Iterator[tuple[str, ...]]:
    """The labels that lead to each tier, and to each group that comes first."""
    excluded = {
        label
        for one in programme.enterprise_conditions
        if one.kind is ConditionKind.LABEL_EXCLUDED
        for label in one.labels
    }
    tiers = [(*tier.any_of[:1], *tier.all_of) for tier in programme.issuance.tiers]
    groups = [group.any_of[:1] for group in programme.issuance.priorities]
    for labels in (*tiers, *groups):
        if excluded.isdisjoint(labels):
            yield labels
    yield ()


def _fit(programme: Programme, party: Party, today: date) -> Part:
    """An organisation that meets every condition of the party."""
    rules = programme.enterprise if party is Party.ENTERPRISE else programme.provider
    part = Part(
        name="",
        uscc="",
        party=party,
        facts={
            "area": programme.areas[0],
            "industry": "C3484",
            "legal_form": LegalForm.LEGAL_PERSON.value,
            "legal_person": True,
            # Whoever registers has been founded by anybody's calendar, a programme's or the machine's.
            "established_on": min(
                today - timedelta(days=2200), datetime.now(CHINA).date() - timedelta(days=30)
            ).isoformat(),
            "headcount": 60,
            "revenue_fen": 1_000_000_000,
            "assets_fen": 800_000_000,
        },
    )
    for condition in rules.conditions:
        match condition.kind:
            case ConditionKind.DECLARED:
                part.answers[condition.fact] = condition.expected
            case ConditionKind.AT_LEAST:
                part.answers[condition.fact] = _least(condition)
            case ConditionKind.LABEL_REQUIRED:
                part.labels = (condition.labels[0],)
            case ConditionKind.INDUSTRY_IN if not any(
                "C3484".startswith(code) for code in condition.industries
            ):
                part.facts["industry"] = condition.industries[0]
            case ConditionKind.REGISTERED_IN if condition.areas and not condition.if_labels:
                part.facts["area"] = condition.areas[0]
            case _:
                pass
    return part


def _misfits(programme: Programme, party: Party, today: date) -> Iterator[Part]:
    """For each condition that can be broken, somebody who breaks it."""
    rules = programme.enterprise if party is Party.ENTERPRISE else programme.provider
    for condition in rules.conditions:
        part = _fit(programme, party, today)
        if condition.if_labels:
            part.labels = condition.if_labels[:1]
        if _break(programme, party, condition, part, today):
            part.breaks = condition.code
            yield part
    if any(one.kind is ConditionKind.NOT_OPERATOR for one in rules.conditions):
        operator = next(role for role in programme.roles if role.actor.value == "operator")
        part = _fit(programme, party, today)
        part.name, part.stopped = operator.name, "operator_cannot_provide"
        yield part


def _break(programme: Programme, party: Party, condition: Condition, part: Part, today: date) -> bool:
    """Let a fit organisation fail one condition; whether that can be done from outside."""
    match condition.kind:
        case ConditionKind.REGISTERED_IN:
            part.facts["area"] = FAR_AWAY
        case ConditionKind.LEGAL_PERSON:
            part.facts |= {"legal_form": LegalForm.INDIVIDUAL.value, "legal_person": False}
        case ConditionKind.LEGAL_FORM_IN:
            others = [form for form in LegalForm if form not in condition.legal_forms]
            part.facts |= {"legal_form": others[-1].value, "legal_person": False}
        case ConditionKind.INDUSTRY_IN:
            part.facts["industry"] = "A0111" if "A" not in condition.industries else "H6110"
        case ConditionKind.SIZE_CLASS_IN if SizeClass.LARGE not in condition.sizes:
            part.facts |= {"headcount": 90_000, "revenue_fen": HUGE_FEN, "assets_fen": HUGE_FEN}
        case ConditionKind.MONTHS_ESTABLISHED_AT_LEAST if not condition.parent_counts:
            part.facts["established_on"] = (today - timedelta(days=20)).isoformat()
        case ConditionKind.MONTHS_ESTABLISHED_AT_MOST:
            part.facts["established_on"] = (today - timedelta(days=9000)).isoformat()
        case ConditionKind.LABEL_REQUIRED:
            part.labels, part.claims = (), condition.labels[:1] if party is Party.ENTERPRISE else ()
            if party is Party.PROVIDER and programme.provider.account.listed_before_registering:
                part.stopped = "not_on_list"
        case ConditionKind.LABEL_EXCLUDED:
            part.labels = (*part.labels, condition.labels[0])
        case ConditionKind.DECLARED:
            part.answers[condition.fact] = not condition.expected
        case ConditionKind.AT_LEAST if not condition.parent_counts:
            part.answers[condition.fact] = _least(condition) - 1
        case ConditionKind.NOT_BLOCKLISTED:
            part.ban = Ban(today - timedelta(days=100), None)
        case ConditionKind.NO_PAST_VIOLATION:
            part.ban = Ban(today - timedelta(days=900), today - timedelta(days=500))
        case _:
            return False
    return True


def _least(condition: Condition) -> int:
    least = condition.minimum if condition.minimum is not None else condition.minimum_fen
    return int(least or 0)


def _uscc(slug: str, number: int) -> str:
    """A code with its right check digit that no register has given out (region 999999)."""
    digits = int.from_bytes(hashlib.sha256(slug.encode()).digest()[:2]) % 900 + 100
    body = f"91999999MA{digits:03d}{number:04d}"
    return body + str(calc_check_digit(body))


def mistyped(uscc: str) -> str:
    """The code with a wrong check digit."""
    return uscc[:-1] + ("0" if uscc[-1] != "0" else "1")


def names(parts: list[Part]) -> Mapping[str, str]:
    return {part.uscc: part.name for part in parts}
