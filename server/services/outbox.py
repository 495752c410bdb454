"""The outbox: what people must be told, written in the transaction of the change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server.models.outbox import OutboxMessage


async def tell(recipient: str, topic: str, *, at: datetime, **data: Any) -> None:
    """Queue one message to ``kind:id`` (``enterprise:5``). Call it inside the change's transaction."""
    await OutboxMessage.create(created_at=at, topic=topic, recipient=recipient, data=data)
