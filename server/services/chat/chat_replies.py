"""Chat replies: what the chat says after its door has answered.

Kept before it is sent, so that nothing is lost with a process. What is said in one go is one message: WeChat
lets three through after a tap and five after something written. When no more goes through, they are told by
the next channel that there is an answer, and get it as soon as they write again.
"""

from __future__ import annotations

from datetime import datetime

from server.models.deliveries import Delivery, DeliveryState
from server.rules.message_fields import LONGEST_CUSTOM_BYTES, parts
from server.sealing import NotSealedByUs, Sealer
from server.services.messages.delivery_plan import CHAT_REPLY


class ChatReplies:
    """Says things to senders; ``services/messages/deliveries.py`` carries them."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def say(self, sender_id: int, text: str, *, now: datetime) -> None:
        """Say ``text`` to a sender, in order after what was said before; inside the caller's transaction or
        not. What still waits becomes one message with it, up to WeChat's length; longer texts become several.
        """
        for part in parts(text):
            if not await self._joined(sender_id, part):
                await Delivery.create(
                    addressee=f"sender:{sender_id}",
                    topic=CHAT_REPLY,
                    text_sealed=self._sealer.seal(part),
                    next_at=now,
                    created_at=now,
                )

    async def _joined(self, sender_id: int, part: str) -> bool:
        """Whether the part could be added to a reply that nobody has taken up yet."""
        waiting = await (
            Delivery.filter(
                addressee=f"sender:{sender_id}",
                topic=CHAT_REPLY,
                state=DeliveryState.WAITING,
                claimed_by="",
                uncertain=False,
            )
            .order_by("-id")
            .first()
        )
        if waiting is None:
            return False
        try:
            joined = f"{self._sealer.open(waiting.text_sealed)}\n{part}"
        except NotSealedByUs:
            return False
        if len(joined.encode()) > LONGEST_CUSTOM_BYTES:
            return False
        # The WHERE clause is the lock: it was neither taken up nor added to since.
        added = Delivery.filter(
            id=waiting.id,
            state=DeliveryState.WAITING,
            claimed_by="",
            uncertain=False,
            text_sealed=waiting.text_sealed,
        )
        return bool(await added.update(text_sealed=self._sealer.seal(joined)))
