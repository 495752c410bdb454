"""Related parties: what ties the two sides of a deal to each other, and what a programme makes of it.

A tie is certain where ownership or an identity number says so, and a hint where a telephone, an address or
a mere name does. Certain ties are forbidden where the text forbids ties (GZ-47); everything else that is
found is shown to the operator, who looks at the order before it goes on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from server import texts
from server.errors import Unmet
from server.programme.model import Programme
from server.programme.oversight import ConflictKind
from server.rules.conflicts import Deal, conflicts
from server.rules.findings import Findings

_COUNTRY = "86"
_MOBILE = 11
_NO_LETTERS = re.compile(r"[^0-9a-z\u3400-\u9fff]")


class TieKind(StrEnum):
    """What two organisations share."""

    SAME = "same"
    """They are one organisation."""
    SHAREHOLDER = "shareholder"
    """One holds shares of the other."""
    COMMON_SHAREHOLDER = "common_shareholder"
    """Somebody holds shares of both."""
    REPRESENTATIVE = "representative"
    """One person represents both by law."""
    PERSON_BEHIND = "person_behind"
    """Who represents one holds shares of the other."""
    NAMESAKE = "namesake"
    """Representatives or shareholders of one name, their numbers unknown."""
    MEMBER = "member"
    """One account acted for both."""
    PHONE = "phone"
    ADDRESS = "address"


CERTAIN = frozenset(
    {
        TieKind.SAME,
        TieKind.SHAREHOLDER,
        TieKind.COMMON_SHAREHOLDER,
        TieKind.REPRESENTATIVE,
        TieKind.PERSON_BEHIND,
    }
)
"""Ties of ownership and law (投资关系、产权纽带等关联关系)."""

REFUSING = frozenset(
    {
        ConflictKind.OPERATOR_AS_PROVIDER,
        ConflictKind.RELATED_PARTIES,
        ConflictKind.STACKING,
        ConflictKind.OTHER_JURISDICTION,
        ConflictKind.OUTSIDE_RECOGNITION,
    }
)
"""Conflicts that are known when an order is placed, and leave none where the text has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """A person by name and identity number, or an organisation by name and code; a number may be unknown."""

    name: str
    number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """Who and what stands behind an organisation, as far as anybody has said. Numbers are compared whole."""

    uscc: str
    name: str
    representatives: frozenset[Who] = frozenset()
    people_holding: frozenset[Who] = frozenset()
    """Persons who hold shares of it."""
    firms_holding: frozenset[Who] = frozenset()
    """Organisations that hold shares of it."""
    members: frozenset[int] = frozenset()
    """Accounts that act or acted for it."""
    phones: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What else is known about a deal.

    ``subsidised_before``: the same product was bought with a voucher in an earlier year.
    ``other_public_money``: the enterprise says that it gets other public money for it.
    ``ordered_elsewhere``: it is ordered with a voucher of another programme this year.
    """

    enterprise_area: str
    provider_labels: frozenset[str] = frozenset()
    provider_is_operator: bool = False
    subsidised_before: bool = False
    other_public_money: bool = False
    ordered_elsewhere: bool = False
    within_recognition: bool = True
    ties: tuple[TieKind, ...] = field(default=())


def ties(one: Behind, other: Behind) -> tuple[TieKind, ...]:
    """Everything two organisations share, each kind once, certain ties first."""
    return tuple(dict.fromkeys(_ties(one, other)))


def findings_of(programme: Programme, known: Known) -> Findings:
    """What a programme forbids about a deal, and what its operator is to look at."""
    certain = tuple(tie for tie in known.ties if tie in CERTAIN)
    found = conflicts(
        programme,
        Deal(
            enterprise_area=known.enterprise_area,
            provider_labels=known.provider_labels,
            provider_is_operator=known.provider_is_operator,
            related=bool(certain),
            other_public_money=known.other_public_money,
            subsidised_before=known.subsidised_before,
            within_recognition=known.within_recognition,
        ),
    )
    forbidden = [
        replace(one, arithmetic=_said(certain)) if one.code == ConflictKind.RELATED_PARTIES else one
        for one in found
        if one.code in REFUSING
    ]
    articles = {one.kind: one.article for one in programme.conflicts}
    if TieKind.SAME in certain and ConflictKind.RELATED_PARTIES not in articles:
        # Nobody buys from itself, whatever the text says of relatives.
        forbidden.append(Unmet(TieKind.SAME.value, "", texts.TIES[TieKind.SAME.value]))
    return Findings(tuple(forbidden), tuple(_warned(known, articles)))


def phone(number: str) -> str:
    """A telephone number as it is compared: its digits, without the country."""
    digits = "".join(one for one in unicodedata.normalize("NFKC", number) if one.isdecimal())
    return digits.removeprefix(_COUNTRY) if len(digits) == _MOBILE + len(_COUNTRY) else digits


def address(text: str) -> str:
    """An address as it is compared: letters, digits and characters, however it was spaced and dotted."""
    return _NO_LETTERS.sub("", unicodedata.normalize("NFKC", text).lower())


def person(name: str, number: str = "") -> Who:
    """Somebody as they are compared."""
    return Who(name=name.strip(), number=number.strip().upper())


def _warned(known: Known, articles: dict[ConflictKind, str]) -> Iterator[Unmet]:
    forbids = ConflictKind.RELATED_PARTIES in articles
    clause = articles.get(ConflictKind.RELATED_PARTIES, "")
    for tie in known.ties:
        if tie in CERTAIN and (forbids or tie is TieKind.SAME):
            continue
        yield Unmet(tie.value, clause, texts.TIES[tie.value])
    if known.ordered_elsewhere:
        clause = articles.get(ConflictKind.STACKING, "")
        yield Unmet("ordered_elsewhere", clause, texts.TIES["ordered_elsewhere"])


def _said(certain: Iterable[TieKind]) -> str:
    return texts.STEP.join(texts.TIES[tie.value] for tie in certain)


def _ties(one: Behind, other: Behind) -> Iterator[TieKind]:
    if one.uscc == other.uscc:
        # Whatever else it shares with itself says nothing.
        yield TieKind.SAME
        return
    if _holds(one, other) or _holds(other, one):
        yield TieKind.SHAREHOLDER
    held_by_both = _numbers(one.people_holding) & _numbers(other.people_holding)
    if held_by_both or _codes(one.firms_holding) & _codes(other.firms_holding):
        yield TieKind.COMMON_SHAREHOLDER
    if _numbers(one.representatives) & _numbers(other.representatives):
        yield TieKind.REPRESENTATIVE
    crossed = (_numbers(one.representatives) & _numbers(other.people_holding)) | (
        _numbers(other.representatives) & _numbers(one.people_holding)
    )
    if crossed:
        yield TieKind.PERSON_BEHIND
    if _namesakes(one.representatives | one.people_holding, other.representatives | other.people_holding):
        yield TieKind.NAMESAKE
    if one.members & other.members:
        yield TieKind.MEMBER
    if one.phones & other.phones:
        yield TieKind.PHONE
    if one.addresses & other.addresses:
        yield TieKind.ADDRESS


def _holds(holder: Behind, held: Behind) -> bool:
    return any(holder.uscc == firm.number or _same_firm(holder, firm) for firm in held.firms_holding)


def _same_firm(known: Behind, firm: Who) -> bool:
    """A firm that was declared by its name alone."""
    return not firm.number and address(firm.name) == address(known.name)


def _numbers(people: Iterable[Who]) -> frozenset[str]:
    return frozenset(one.number for one in people if one.number)


def _codes(firms: Iterable[Who]) -> frozenset[str]:
    return frozenset(one.number or address(one.name) for one in firms)


def _namesakes(ours: Iterable[Who], theirs: Iterable[Who]) -> bool:
    """Somebody of one name on both sides, and at least one of the two numbers unknown."""
    theirs = tuple(theirs)
    return any(
        one.name == other.name and not (one.number and other.number)
        for one in ours
        for other in theirs
        if one.name
    )
