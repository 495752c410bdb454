"""Eligibility: every condition a party does not meet, not just the first.

Each answer carries the clause, the sentence of the programme and the comparison behind it, so that
nobody has to guess what to put right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from server import texts
from server.errors import Refusal, Unmet
from server.programme.catalogue import Category
from server.programme.model import Programme
from server.programme.people import Condition, ConditionKind, MeasuredAt
from server.programme.size_classes import SizeStandard
from server.rules.deadlines import add_months, months_between
from server.rules.facts import EnterpriseFacts, HeldLabel, ParentFacts, PartyFacts, ProviderFacts
from server.rules.size_class import classify, lies_in
from server.units import yuan

AREA_SEPARATOR = "/"


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question: this condition, of this party, on this day."""

    programme: Programme
    condition: Condition
    facts: PartyFacts
    on: date
    sizes: SizeStandard

    @property
    def measured_on(self) -> date:
        """The day that counts; who has not applied yet is measured as if it applied today."""
        if self.condition.measured_at is MeasuredAt.APPLICATION:
            return self.facts.applied_on or self.on
        return self.on

    def holds(self, code: str) -> bool:
        return any(
            label.code == code and label_valid(self.programme, label, self.on) for label in self.facts.labels
        )


def unmet(programme: Programme, facts: EnterpriseFacts, on: date, sizes: SizeStandard) -> tuple[Unmet, ...]:
    """Every condition of the programme that an enterprise does not meet on a day, in their order."""
    return _unmet(programme, programme.enterprise_conditions, facts, on, sizes)


def provider_unmet(
    programme: Programme, facts: ProviderFacts, on: date, sizes: SizeStandard
) -> tuple[Unmet, ...]:
    """Every condition of the programme that a provider does not meet on a day, in their order."""
    return _unmet(programme, programme.provider_conditions, facts, on, sizes)


def category_unmet(
    programme: Programme, category: Category, facts: EnterpriseFacts, on: date, sizes: SizeStandard
) -> tuple[Unmet, ...]:
    """What an enterprise lacks to buy in this category, besides the general conditions (GZ-16)."""
    return _unmet(programme, category.conditions, facts, on, sizes)


def lies_within(area: str, areas: Iterable[str]) -> bool:
    """Whether an area is one of some areas or lies below one; all are paths."""
    return any(area == region or area.startswith(region + AREA_SEPARATOR) for region in areas)


def label_valid(programme: Programme, label: HeldLabel, on: date) -> bool:
    """Whether a held label counts on a day: within its validity, or within its cohort's extension."""
    if label.valid_until is None or on <= label.valid_until:
        return True
    definition = programme.label(label.code)
    return (
        definition.extended_for is not None
        and definition.extended_until is not None
        and label.recognised_in == definition.extended_for
        and on <= definition.extended_until
    )


def valid_labels(programme: Programme, facts: PartyFacts, on: date) -> frozenset[str]:
    """The codes of the programme's labels that a party holds on a day."""
    known = {label.code for label in programme.labels}
    return frozenset(
        label.code for label in facts.labels if label.code in known and label_valid(programme, label, on)
    )


def _unmet(
    programme: Programme,
    conditions: tuple[Condition, ...],
    facts: PartyFacts,
    on: date,
    sizes: SizeStandard,
) -> tuple[Unmet, ...]:
    found = []
    for condition in conditions:
        asked = _Asked(programme, condition, facts, on, sizes)
        if not _applies(asked):
            continue
        arithmetic = CHECKS[condition.kind](asked)
        if arithmetic is not None:
            found.append(Unmet(condition.code, condition.article, condition.says, arithmetic))
    return tuple(found)


def _applies(asked: _Asked) -> bool:
    condition = asked.condition
    if asked.facts.legal_form in condition.replaced_for:
        return False
    return not condition.if_labels or any(asked.holds(code) for code in condition.if_labels)


# Each check answers with the comparison that fails, or with None when the condition is met.


def _registered_in(asked: _Asked) -> str | None:
    jurisdiction = asked.programme.jurisdiction
    areas = asked.condition.areas or jurisdiction.areas
    excluded = asked.condition.excluded_areas or jurisdiction.excluded_areas
    area = asked.facts.area
    if lies_within(area, areas) and not lies_within(area, excluded):
        return None
    wanted = texts.LIST.join(areas)
    if excluded:
        wanted += texts.CONDITION["without"].format(names=texts.LIST.join(excluded))
    return texts.CONDITION["registered_in"].format(area=area, wanted=wanted)


def _legal_person(asked: _Asked) -> str | None:
    if asked.facts.legal_person:
        return None
    return texts.CONDITION["declared"].format(own=texts.YES_NO[False], wanted=texts.YES_NO[True])


def _legal_form_in(asked: _Asked) -> str | None:
    form = asked.facts.legal_form
    if form in asked.condition.legal_forms:
        return None
    return texts.CONDITION["legal_form_in"].format(
        form=texts.NOT_STATED if form is None else texts.LEGAL_FORMS[form],
        wanted=texts.LIST.join(texts.LEGAL_FORMS[wanted] for wanted in sorted(asked.condition.legal_forms)),
    )


def _industry_in(asked: _Asked) -> str | None:
    facts, condition = asked.facts, asked.condition
    if not isinstance(facts, EnterpriseFacts):
        return texts.NOT_STATED
    if any(asked.holds(code) for code in condition.labels):
        return None
    try:
        if lies_in(asked.sizes, facts.industry, condition.industries):
            return None
    except Refusal as refusal:
        return texts.REFUSALS[refusal.code].format(**refusal.values)
    wanted = texts.LIST.join(condition.industries)
    if condition.labels:
        names = _label_names(asked, condition.labels)
        wanted += texts.STEP + texts.CONDITION["label_required"].format(names=names)
        wanted += _unattested(asked, condition.labels)
    return texts.CONDITION["industry_in"].format(code=facts.industry, wanted=wanted)


def _size_class_in(asked: _Asked) -> str | None:
    facts = asked.facts
    if not isinstance(facts, EnterpriseFacts):
        return texts.NOT_STATED
    try:
        result = classify(
            asked.sizes,
            facts.industry,
            headcount=facts.headcount,
            revenue_fen=facts.revenue_fen,
            assets_fen=facts.assets_fen,
        )
    except Refusal as refusal:
        return texts.REFUSALS[refusal.code].format(**refusal.values)
    if result.size_class in asked.condition.sizes:
        return None
    return texts.STEP.join(result.steps)


def _months_at_least(asked: _Asked) -> str | None:
    start, months = _established_on(asked), asked.condition.months or 0
    if add_months(start, months) <= asked.measured_on:
        return None
    return texts.CONDITION["months_at_least"].format(
        own=max(0, months_between(start, asked.measured_on)),
        months=months,
        from_day=add_months(start, months),
    )


def _months_at_most(asked: _Asked) -> str | None:
    start, months = asked.facts.established_on, asked.condition.months or 0
    last_day = add_months(start, months)
    if asked.measured_on <= last_day:
        return None
    return texts.CONDITION["months_at_most"].format(start=start, months=months, last_day=last_day)


def _label_required(asked: _Asked) -> str | None:
    if any(asked.holds(code) for code in asked.condition.labels):
        return None
    names = _label_names(asked, asked.condition.labels)
    return texts.CONDITION["label_required"].format(names=names) + _unattested(asked, asked.condition.labels)


def _label_excluded(asked: _Asked) -> str | None:
    found = [code for code in asked.condition.labels if asked.holds(code)]
    if not found:
        return None
    return texts.CONDITION["label_excluded"].format(names=_label_names(asked, found))


def _declared(asked: _Asked) -> str | None:
    answer = asked.facts.declarations.get(asked.condition.fact)
    if answer is asked.condition.expected:
        return None
    own = texts.YES_NO[answer] if isinstance(answer, bool) else texts.NOT_STATED
    return texts.CONDITION["declared"].format(own=own, wanted=texts.YES_NO[asked.condition.expected])


def _at_least(asked: _Asked) -> str | None:
    condition = asked.condition
    money = condition.minimum_fen is not None
    minimum = condition.minimum_fen if condition.minimum_fen is not None else condition.minimum or 0
    own = _number(asked.facts.declarations, condition.fact)
    parent = _parent_of(asked)
    if parent is not None:
        # The parent's figure is counted in with the subsidiary's own.
        figures = [own, _number(parent.declarations, condition.fact)]
        own = sum(figure for figure in figures if figure is not None)
    if own is None:
        return texts.NOT_STATED
    if own >= minimum:
        return None
    return texts.LESS.format(own=yuan(own) if money else own, wanted=yuan(minimum) if money else minimum)


def _not_blocklisted(asked: _Asked) -> str | None:
    entries = [entry for entry in asked.facts.barred if entry.covers(asked.on)]
    if not entries:
        return None
    return texts.STEP.join(
        texts.CONDITION["barred"].format(
            start=entry.starts_on, end=entry.ends_on or texts.FOR_GOOD, clause=entry.clause
        )
        for entry in entries
    )


def _no_past_violation(asked: _Asked) -> str | None:
    years = asked.facts.violation_years
    if not years:
        return None
    return texts.CONDITION["violations"].format(years=texts.LIST.join(str(year) for year in sorted(years)))


def _not_operator(asked: _Asked) -> str | None:
    return texts.CONDITION["operator"] if asked.facts.is_operator else None


CHECKS: Mapping[ConditionKind, Callable[[_Asked], str | None]] = {
    ConditionKind.REGISTERED_IN: _registered_in,
    ConditionKind.LEGAL_PERSON: _legal_person,
    ConditionKind.LEGAL_FORM_IN: _legal_form_in,
    ConditionKind.INDUSTRY_IN: _industry_in,
    ConditionKind.SIZE_CLASS_IN: _size_class_in,
    ConditionKind.MONTHS_ESTABLISHED_AT_LEAST: _months_at_least,
    ConditionKind.MONTHS_ESTABLISHED_AT_MOST: _months_at_most,
    ConditionKind.LABEL_REQUIRED: _label_required,
    ConditionKind.LABEL_EXCLUDED: _label_excluded,
    ConditionKind.DECLARED: _declared,
    ConditionKind.AT_LEAST: _at_least,
    ConditionKind.NOT_BLOCKLISTED: _not_blocklisted,
    ConditionKind.NO_PAST_VIOLATION: _no_past_violation,
    ConditionKind.NOT_OPERATOR: _not_operator,
}


def _parent_of(asked: _Asked) -> ParentFacts | None:
    """The parent company, while its figures count for this condition."""
    facts, condition = asked.facts, asked.condition
    if not isinstance(facts, ProviderFacts) or facts.parent is None or not condition.parent_counts:
        return None
    young_until = condition.parent_counts_below_months
    if young_until is not None and add_months(facts.established_on, young_until) <= asked.measured_on:
        return None
    return facts.parent


def _established_on(asked: _Asked) -> date:
    parent = _parent_of(asked)
    own = asked.facts.established_on
    return own if parent is None else min(own, parent.established_on)


def _number(declarations: Mapping[str, object], fact: str) -> int | None:
    value = declarations.get(fact)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _unattested(asked: _Asked, codes: tuple[str, ...]) -> str:
    """A claim that no list and no paper bears out, with the list that would."""
    labels = [asked.programme.label(code) for code in codes if code in asked.facts.claimed]
    if not labels:
        return ""
    return texts.STEP + texts.CONDITION["claimed"].format(
        names=texts.LIST.join(label.name for label in labels),
        lists=texts.LIST.join(dict.fromkeys(label.evidence for label in labels)),
    )


def _label_names(asked: _Asked, codes: tuple[str, ...] | list[str]) -> str:
    return texts.LIST.join(asked.programme.label(code).name for code in codes)
