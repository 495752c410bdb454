"""The cast: the real programmes, and for each an enterprise and a provider that meet every condition.

A test changes one fact of somebody who would pass, so that a refusal can only come from that fact.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from server.programme.holidays import WorkingCalendar, load_working_calendar
from server.programme.loader import load_programme
from server.programme.model import Programme
from server.programme.size_classes import SizeStandard, load_size_standard
from server.programme.vocabulary import LegalForm
from server.rules.eligibility import provider_unmet, unmet
from server.rules.facts import EnterpriseFacts, ProviderFacts, held
from server.units import yuan_to_fen

CONFIG = Path(__file__).parents[2] / "config"
LISHUI, GUANGZHOU, GUANGXI = "lishui-2024", "guangzhou-2020", "guangxi-2024"
NINGXIA, YINCHUAN = "ningxia-2016", "yinchuan-2024"


@cache
def programme(slug: str) -> Programme:
    return load_programme(CONFIG / "programmes" / f"{slug}.toml")


@cache
def size_standard() -> SizeStandard:
    return load_size_standard(CONFIG / "size-classes.toml")


@cache
def working_calendar() -> WorkingCalendar:
    return load_working_calendar(CONFIG / "holidays")


def eligible_enterprise(slug: str) -> EnterpriseFacts:
    """Small, ten years old, promises everything its programme asks, on its demonstration day."""
    rules = programme(slug)
    return EnterpriseFacts(
        uscc="91331100MA2E0AAA0X",
        name="一家合格企业",
        area=AREAS[slug],
        legal_person=True,
        legal_form=LegalForm.LEGAL_PERSON,
        established_on=date(rules.demo_today.year - 10, 1, 1),
        applied_on=rules.demo_today,
        industry="C2652",
        headcount=30,
        revenue_fen=yuan_to_fen(10_000_000),
        assets_fen=yuan_to_fen(8_000_000),
        labels=held(ENTERPRISE_LABELS.get(slug, ())),
        declarations={
            condition.fact: condition.expected for condition in rules.enterprise_conditions if condition.fact
        },
    )


def admissible_provider(slug: str) -> ProviderFacts:
    """Ten years old, figures just at every minimum its programme asks, on its demonstration day."""
    rules = programme(slug)
    return ProviderFacts(
        uscc="91331100MA2E0BBB0X",
        name="一家合格服务机构",
        area=AREAS[slug],
        legal_person=True,
        legal_form=LegalForm.LEGAL_PERSON,
        established_on=date(rules.demo_today.year - 10, 1, 1),
        applied_on=rules.demo_today,
        labels=held(PROVIDER_LABELS.get(slug, ())),
        declarations={
            condition.fact: PROVIDER_FIGURES.get((slug, condition.fact), condition.expected)
            for condition in rules.provider_conditions
            if condition.fact
        },
    )


def enterprise_lacks(slug: str, on: date | None = None, **facts: Any) -> dict[str, str]:
    """The conditions an otherwise eligible enterprise does not meet, with their arithmetic."""
    changed = replace(eligible_enterprise(slug), **facts)
    found = unmet(programme(slug), changed, on or programme(slug).demo_today, size_standard())
    return {one.code: one.arithmetic for one in found}


def provider_lacks(slug: str, on: date | None = None, **facts: Any) -> dict[str, str]:
    """The conditions an otherwise admissible provider does not meet, with their arithmetic."""
    changed = replace(admissible_provider(slug), **facts)
    found = provider_unmet(programme(slug), changed, on or programme(slug).demo_today, size_standard())
    return {one.code: one.arithmetic for one in found}


def declared(slug: str, fact: str, value: object) -> dict[str, Any]:
    """An eligible enterprise's declarations with one changed."""
    return {"declarations": {**eligible_enterprise(slug).declarations, fact: value}}


def figure(slug: str, fact: str, value: object) -> dict[str, Any]:
    """An admissible provider's declarations with one changed."""
    return {"declarations": {**admissible_provider(slug).declarations, fact: value}}


AREAS = {
    LISHUI: "浙江省/丽水市/莲都区",
    GUANGZHOU: "广东省/广州市/天河区",
    GUANGXI: "广西壮族自治区/南宁市",
    NINGXIA: "宁夏回族自治区/银川市/金凤区",
    YINCHUAN: "宁夏回族自治区/银川市/金凤区",
}
ENTERPRISE_LABELS: dict[str, tuple[str, ...]] = {GUANGXI: ("above_designated_size",)}
PROVIDER_LABELS: dict[str, tuple[str, ...]] = {GUANGZHOU: ("city_platform",)}
# Written down a second time, from the regulations: the least figures that admit a provider.
PROVIDER_FIGURES = {
    (LISHUI, "profit_last_year"): 0,
    (LISHUI, "premises_square_metres"): 50,
    (LISHUI, "full_time_staff"): 5,
    (GUANGXI, "core_staff_insured_one_year"): 8,
    (GUANGXI, "enterprises_served_last_year"): 10,
    (GUANGXI, "revenue_last_year"): yuan_to_fen(2_000_000),
}
