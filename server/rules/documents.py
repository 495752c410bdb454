"""Documents: what the platform prints, how a party confirms what it signs, and who is named on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Printed(StrEnum):
    """What is printed of an order."""

    CONTRACT = "contract"
    SERVICE_CONFIRMATION = "service_confirmation"


class SignMethod(StrEnum):
    """How a signature came about. A certificate authority's would be another word here."""

    PLATFORM = "platform"
    """Confirmed by a person signed in here, who may act for the party."""


def hash_of_text(text: Mapping[str, Any]) -> str:
    """The SHA-256 of what a document says, the same however it is written down."""
    said = json.dumps(text, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def masked_name(name: str) -> str:
    """A person's name as papers show it: the first character stays (``李**``)."""
    return name[:1] + "*" * (len(name) - 1)
