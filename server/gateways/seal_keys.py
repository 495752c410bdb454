"""Seal keys: the Ed25519 keys that sign a day of the journal, kept in a directory and never in the database.

``{key id}.key`` holds a secret (64 hexadecimal digits, readable by its owner alone), ``{key id}.pub`` the
public key of one that signs no more. A key id is the day the key was made and eight digits of the hash of its
public key. The newest secret signs. Whoever signs elsewhere (an HSM) offers the same verbs.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SECRET, PUBLIC = ".key", ".pub"
_HEX = re.compile(r"[0-9a-f]{64}")
_KEY_ID = re.compile(r"[0-9]{8}-[0-9a-f]{8}")


class SealKeyUnusable(Exception):
    """A file of the directory that holds no key, or another one than its name says; the message names it."""


class SealKeys:
    """The keys of one directory. Plain, blocking work on a few small files: call it on a thread."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def sign(self, message: bytes, *, today: date) -> tuple[str, str]:
        """The id of the newest key and its signature in hex. Without any key one is made, dated ``today``."""
        with self._alone():
            secrets = self._secrets()
            key_id = max(secrets) if secrets else self._make(today)
            private = self._secrets()[key_id]
        return key_id, private.sign(message).hex()

    def public_keys(self) -> Mapping[str, str]:
        """Every key there was, by id: the public half in hex."""
        known = {key_id: _public_hex(one) for key_id, one in self._secrets().items()}
        for file in sorted(self._directory.glob(f"*{PUBLIC}")):
            known.setdefault(file.stem, _hex_in(file))
        for key_id, public in known.items():
            if key_id[9:] != _fingerprint(public):
                raise SealKeyUnusable(f"{key_id} in {self._directory} is another key than its name says.")
        return dict(sorted(known.items()))

    def make_sure(self, *, today: date) -> None:
        """Make the first key, dated ``today``, where there is none: to be announced before it signs."""
        with self._alone():
            if not self._secrets():
                self._make(today)

    def rotate(self, *, today: date) -> str:
        """Make a new key that signs from now on, destroy the older secrets, keep their public halves."""
        with self._alone():
            older = self._secrets()
            key_id = self._make(today)
            for old_id, private in older.items():
                _write(self._directory / f"{old_id}{PUBLIC}", _public_hex(private), mode=0o644)
                (self._directory / f"{old_id}{SECRET}").unlink()
        return key_id

    def _make(self, today: date) -> str:
        private = Ed25519PrivateKey.generate()
        public = _public_hex(private)
        # Of two keys made on one day the later must come out as the newest.
        taken = max((key_id[:8] for key_id in self._secrets()), default="")
        key_id = (
            f"{max(today.strftime('%Y%m%d'), str(int(taken) + 1) if taken else '')}-{_fingerprint(public)}"
        )
        _write(self._directory / f"{key_id}{SECRET}", private.private_bytes_raw().hex(), mode=0o600)
        return key_id

    def _secrets(self) -> dict[str, Ed25519PrivateKey]:
        return {
            file.stem: Ed25519PrivateKey.from_private_bytes(bytes.fromhex(_hex_in(file)))
            for file in sorted(self._directory.glob(f"*{SECRET}"))
        }

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Workers that find no key at the same moment make one, not two."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._directory / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def is_signed(public: str, signature: str, message: bytes) -> bool:
    """Whether a public key (hex) made this signature (hex) of these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _public_hex(private: Ed25519PrivateKey) -> str:
    return private.public_key().public_bytes_raw().hex()


def _fingerprint(public: str) -> str:
    return sha256(bytes.fromhex(public)).hexdigest()[:8]


def _hex_in(file: Path) -> str:
    said = file.read_text(encoding="ascii", errors="replace").strip()
    if not (_HEX.fullmatch(said) and _KEY_ID.fullmatch(file.stem)):
        # Nothing of what it holds is shown: it may be a secret.
        raise SealKeyUnusable(f"{file} is not named and written like a seal key.")
    return said


def _write(file: Path, text: str, *, mode: int) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write(text + "\n")
        out.flush()
        os.fsync(out.fileno())
