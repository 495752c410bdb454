"""The round book of a process: every round's card at hand, so that a grab needs no look-up."""

from __future__ import annotations

from datetime import timedelta

from server.models.rounds import Round
from server.programme.issuance import IssuanceMode
from server.rules.lifecycles import RoundStatus
from server.services.access import NotFound
from server.services.rounds.grabs import RoundCard
from server.services.rounds.launch import LiveBudget
from server.services.rounds.rounds import Rounds

KEPT_AFTER_CLOSING = timedelta(hours=1)


class RoundBook:
    """Cards of published rounds, refreshed with every pass of the launch desk."""

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds
        self._cards: dict[int, RoundCard] = {}

    def at_hand(self, round_id: int) -> RoundCard | None:
        """The card, if this process has it."""
        return self._cards.get(round_id)

    async def card(self, round_id: int) -> RoundCard:
        """The card of a published round that is grabbed. Raises :class:`NotFound`, for a draft too."""
        card = self._cards.get(round_id)
        if card is None:
            row = await Round.get_or_none(id=round_id).select_related("budget")
            if row is None or not self._is_grabbed(row):
                raise NotFound()
            card = self._keep(row)
        return card

    async def refresh(self, round_id: int) -> None:
        """Take a round's latest row in, after a change that this process made."""
        row = await Round.get(id=round_id).select_related("budget")
        if self._is_grabbed(row):
            self._keep(row)

    async def live(self) -> list[LiveBudget]:
        """The budgets whose rounds are or may soon be grabbed; refreshes the cards."""
        rows = await Round.exclude(status=RoundStatus.DRAFT).select_related("budget").order_by("id")
        budgets: dict[int, list[RoundCard]] = {}
        for row in rows:
            if not self._is_grabbed(row):
                continue
            card = self._keep(row)
            if card.terms.now() < card.closes_at + KEPT_AFTER_CLOSING:
                budgets.setdefault(row.budget_id, []).append(card)
        return [
            LiveBudget(cards[0].terms, cards[0].offset, tuple(card.round_id for card in cards))
            for cards in budgets.values()
        ]

    def _is_grabbed(self, row: Round) -> bool:
        """Whether there is something to grab: a published round of a programme that issues so."""
        mode = self._rounds.programme(row.budget).issuance.mode
        return row.status is not RoundStatus.DRAFT and mode is IssuanceMode.GRAB

    def _keep(self, row: Round) -> RoundCard:
        slug = row.budget.programme_slug
        card = RoundCard(
            row.id,
            self._rounds.terms(row.budget),
            self._rounds.clocks.offset(slug),
            row.status,
            row.opens_at,
            row.closes_at,
        )
        self._cards[row.id] = card
        return card
