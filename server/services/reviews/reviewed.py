"""Reviewed: what the review engine asks of each kind of thing that is reviewed.

The engine knows a subject only through this: it shows what was handed in, says what the system itself
finds, and does what follows from the end of the review. Whatever follows is done in the transaction of
the decision; what can only be told afterwards is returned, to be awaited once that transaction is in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from server.models.reviews import ReviewCase
from server.programme.review import ReviewStep
from server.rules.review import Check
from server.services.access import Actor
from server.services.afterwards import After


class ArrivesQuietly:
    """The default of what has nothing to do while its case travels: only its end matters."""

    async def arrived(self, case: ReviewCase, step: ReviewStep, *, actor: Actor, now: datetime) -> None:
        """Nothing follows from the case having come to a step."""


class Reviewed(Protocol):
    """One kind of thing under review. Snapshots are plain JSON and hold no personal data in the clear."""

    async def arrived(self, case: ReviewCase, step: ReviewStep, *, actor: Actor, now: datetime) -> None:
        """The case has come to this step, inside the transaction that brought it there.

        May raise a ``Refusal``: then nothing was decided.
        """

    async def snapshot(self, case: ReviewCase) -> dict[str, Any]:
        """The applicant and what they handed in, as they stand at this instant."""

    async def checks(self, case: ReviewCase, *, now: datetime) -> Sequence[Check]:
        """The system's own green and red lines, each with its clause."""

    async def passed(
        self, case: ReviewCase, *, extras: Mapping[str, Any], actor: Actor, now: datetime
    ) -> After:
        """The chain has been gone through. ``extras`` is what the reviewers of all its steps added.

        May raise a ``Refusal``: then nothing was decided.
        """

    async def refused(self, case: ReviewCase, *, reason: str, actor: Actor, now: datetime) -> After:
        """Somebody who decides has turned it down."""

    async def returned(
        self, case: ReviewCase, *, fields: Mapping[str, str], reason: str, actor: Actor, now: datetime
    ) -> After:
        """Sent back for correction: of these fields, each with its reason."""


@runtime_checkable
class Weighed(Protocol):
    """A kind of thing under review of whose end a reviewer may say more than yes: an amount, labels."""

    async def require_usable(self, case: ReviewCase, extras: Mapping[str, Any], *, reason: str) -> None:
        """Raise what the end would raise of what somebody adds, while they are there to mend it.

        The end asks again: later steps add to it, and what there is may have changed.
        """


@runtime_checkable
class Sided(Protocol):
    """A kind of thing under review that concerns others besides the organisation of its case."""

    async def sides(self, case: ReviewCase) -> frozenset[str]:
        """The codes (USCC) of everybody whom it concerns."""
