"""Receipts: what a phone was told, in a form that can be checked and forwarded.

A keyed hash, not a signature: an asymmetric one costs as much as a whole refusal (launch.md section 4).
Whoever doubts a receipt asks the public endpoint, which answers with what it says.
"""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime
from typing import NamedTuple

from server.errors import Refusal

PREFIX = "q1"
MAC_BYTES = 16


class ReceiptInvalid(Refusal):
    """Not a receipt of ours, or changed since we gave it."""

    status, code = 422, "receipt_invalid"


class Receipt(NamedTuple):
    """What was answered to one grab. ``told_ms`` is the programme's clock, Unix milliseconds.

    ``place`` and ``position`` are set where the gate put the grab in line: its id there, and its number
    among those admitted since the round was last installed.
    """

    round_id: int
    enterprise_id: int
    grab_key: str
    answer: str
    told_ms: int
    place: str = ""
    position: int = 0

    @property
    def told_at(self) -> datetime:
        return datetime.fromtimestamp(self.told_ms / 1000, UTC)


class Receipts:
    """Writes and checks receipts under one key of at least 32 bytes."""

    def __init__(self, key: bytes) -> None:
        # Keyed once: setting a key up costs as much as the hash of a whole receipt.
        self._keyed = hmac.new(key, digestmod="sha256")

    def write(self, receipt: Receipt) -> str:
        """The receipt as text: its facts in the open, and the hash over them."""
        facts = (
            f"{PREFIX}.{receipt.round_id}.{receipt.enterprise_id}.{receipt.grab_key}.{receipt.answer}"
            f".{receipt.told_ms}.{receipt.place}.{receipt.position}"
        )
        return f"{facts}.{self._mac(facts)}"

    def check(self, text: str) -> Receipt:
        """What a receipt says. Raises :class:`ReceiptInvalid`."""
        facts, _, mac = text.rpartition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(facts).encode()):
            raise ReceiptInvalid()
        _, round_id, enterprise_id, grab_key, answer, told_ms, place, position = facts.split(".")
        return Receipt(
            int(round_id), int(enterprise_id), grab_key, answer, int(told_ms), place, int(position)
        )

    def _mac(self, facts: str) -> str:
        mac = self._keyed.copy()
        mac.update(facts.encode())
        return base64.urlsafe_b64encode(mac.digest()[:MAC_BYTES]).decode().rstrip("=")
