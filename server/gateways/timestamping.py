"""Timestamping: a time-stamp authority (RFC 3161) says under its own key when it saw a day's hash."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from aiohttp import ClientSession
from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from server.gateways.anchoring import AnchorAway, DayToKeep, Kept, posted

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


class TimeStampAuthority:
    """One authority: its address, and the certificates (PEM) that its own must lead to."""

    name = "rfc3161"

    def __init__(self, http: ClientSession, *, url: str, roots: Path) -> None:
        self._http = http
        self._url = url
        self._roots = roots

    async def keep(self, one: DayToKeep, *, now: datetime) -> Kept:
        """See ``anchoring.Anchor``. The token is the whole response, checked before it is kept."""
        asked = (
            TimestampRequestBuilder().data(one.signed).hash_algorithm(HashAlgorithm.SHA256).nonce().build()
        )
        raw = await posted(self._http, self._url, asked.as_bytes(), QUERY, {200})
        fault = await self._fault(bytes.fromhex(one.statement), raw, nonce=asked.nonce)
        if fault is not None:
            raise AnchorAway(f"a time stamp that is none: {fault}")
        return Kept(raw, _decoded(raw).tst_info.gen_time)

    async def fault(self, statement: str, token: bytes) -> str | None:
        """See ``anchoring.Anchor``: imprint, signature, chain of certificates and their purpose."""
        return await self._fault(bytes.fromhex(statement), token, nonce=None)

    def seen_at(self, token: bytes) -> datetime | None:
        """See ``anchoring.Anchor``: the instant under the authority's signature."""
        try:
            return _decoded(token).tst_info.gen_time
        except AnchorAway:
            return None

    async def _fault(self, imprint: bytes, token: bytes, *, nonce: int | None) -> str | None:
        return await asyncio.to_thread(fault_of, imprint, token, self._roots, nonce)


def fault_of(imprint: bytes, token: bytes, roots: Path, nonce: int | None = None) -> str | None:
    """What is wrong with a token, in one sentence; ``None``: nothing. Blocking: call it on a thread."""
    try:
        builder = VerifierBuilder(roots=_certificates(roots), nonce=nonce)
        builder.build().verify(_decoded(token), imprint)
    except (VerificationError, AnchorAway) as fault:
        return str(fault) or "it does not verify"
    except (OSError, ValueError) as fault:
        return f"its certificates cannot be read ({type(fault).__name__})"
    return None


def _certificates(roots: Path) -> list[Certificate]:
    return load_pem_x509_certificates(roots.read_bytes())


def _decoded(raw: bytes) -> TimeStampResponse:
    try:
        return decode_timestamp_response(raw)
    except ValueError:
        raise AnchorAway("an answer that is no time stamp") from None
