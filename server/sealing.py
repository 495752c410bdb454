"""Sealing: personal data as the database keeps it, and a keyed hash to find it by.

What is sealed reads as nothing without the key, and a changed letter of it is noticed. The same text
sealed twice looks different each time; where it must be found again, its blind index stands beside it.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12
SEALED_LENGTH = 400
"""A column for a sealed text: enough for 80 Chinese characters."""
LONGEST_KEY_ID = 32
SHORTEST_SECRET = 32


class NotSealedByUs(Exception):
    """Text that none of our keys opens: altered, cut short, or sealed with a key that was dropped."""


class Sealer:
    """Seals and opens texts.

    ``keys`` maps a key id to its secret. The first one seals, all of them open: to rotate, put the new key
    first once every server has it, and keep the old one until ``data-keys reseal`` finds nothing. Raises
    ``ValueError`` for no key, a short one or an unusable id.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        if not keys:
            raise ValueError("at least one data key is needed")
        for key_id, secret in keys.items():
            if not key_id or "." in key_id or len(key_id) > LONGEST_KEY_ID:
                raise ValueError(f"a data key's id has 1 to {LONGEST_KEY_ID} characters and no dot")
            if len(secret.encode()) < SHORTEST_SECRET:
                raise ValueError(f"a data key needs at least {SHORTEST_SECRET} bytes")
        self._ciphers = {key_id: AESGCM(_derived(secret, b"seal")) for key_id, secret in keys.items()}
        self._blinding = [_derived(secret, b"blind") for secret in keys.values()]
        self._first = next(iter(keys))

    @property
    def newest(self) -> str:
        """The id of the key that seals."""
        return self._first

    @property
    def older(self) -> tuple[str, ...]:
        """The ids of the keys that only open."""
        return tuple(self._ciphers)[1:]

    def seal(self, text: str) -> str:
        """The text, unreadable: ``key-id.…``; never the same twice. Nothing stays nothing."""
        if not text:
            return ""
        nonce = secrets.token_bytes(NONCE_BYTES)
        # The id is part of what is authenticated, so that nobody can say that another key was used.
        sealed = self._ciphers[self._first].encrypt(nonce, text.encode(), self._first.encode())
        return f"{self._first}.{urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str) -> str:
        """What was sealed. Raises :class:`NotSealedByUs`."""
        if not sealed:
            return ""
        key_id, _, rest = sealed.partition(".")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise NotSealedByUs("no key of this id")
        try:
            raw = urlsafe_b64decode(rest)
            return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], key_id.encode()).decode()
        except (InvalidTag, ValueError):
            # Without its cause: a decoder's message may show the bytes it met.
            raise NotSealedByUs("altered or cut short") from None

    def blind(self, text: str) -> str:
        """The keyed hash to store beside what is sealed: 64 hexadecimal digits, the same each time."""
        return hmac.digest(self._blinding[0], text.encode(), "sha256").hex()

    def blinds(self, text: str) -> list[str]:
        """Every hash under which the text may have been stored, the newest key's first: to look it up."""
        return [hmac.digest(key, text.encode(), "sha256").hex() for key in self._blinding]


def _derived(secret: str, purpose: bytes) -> bytes:
    """A key of 32 bytes for one purpose: what seals must not also hash."""
    return HKDF(SHA256(), 32, salt=None, info=b"qiquan/" + purpose).derive(secret.encode())
