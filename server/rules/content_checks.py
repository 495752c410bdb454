"""Content checks: what WeChat's answers about a text or a picture mean, and when it is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

LONGEST_TEXT = 2_500
"""As much as WeChat reads in one call."""
RISKY_CONTENT = 87014
OPENID_UNUSABLE = frozenset({40003, 61010})
"""Nobody it knows, or nobody who was in the mini-program lately: the older check asks for nobody."""
LATER = frozenset({-1, 45009, 45011, 44991})
MOST_ATTEMPTS = 12
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=2)
UNHEARD = timedelta(hours=6)
"""WeChat answers about a picture within half an hour; what it has not said by then is asked anew."""


class CheckStatus(StrEnum):
    """Where a check stands."""

    WAITING = "waiting"
    ASKED = "asked"
    """WeChat looks at it, and says what it thinks by an event."""
    PASSED = "passed"
    RISKY = "risky"
    REVIEW = "review"
    """WeChat itself is not sure."""
    UNCHECKED = "unchecked"
    """WeChat could not be asked. Nothing is the worse for it."""


MARKED = frozenset({CheckStatus.RISKY, CheckStatus.REVIEW})
_SUGGESTED: Mapping[str, CheckStatus] = {
    "pass": CheckStatus.PASSED,
    "review": CheckStatus.REVIEW,
    "risky": CheckStatus.RISKY,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What WeChat thinks; ``label`` is its number for what is wrong, 100 for nothing."""

    status: CheckStatus
    label: int = 0


def verdict_of(answer: Mapping[str, Any]) -> Verdict | None:
    """The verdict of an answer or an event, of the newer check or the older one; ``None``: it holds none."""
    result = answer.get("result")
    if isinstance(result, Mapping):
        status = _SUGGESTED.get(str(result.get("suggest", "")).lower())
        return None if status is None else Verdict(status, _number(result.get("label")))
    if "isrisky" in answer:
        risky = _number(answer["isrisky"]) == 1
        return Verdict(CheckStatus.RISKY if risky else CheckStatus.PASSED)
    return None


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts: twice as long each time, two hours at most."""
    return min(_FIRST_PAUSE * (1 << min(attempts, 20)), _LONGEST_PAUSE)


def _number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0
