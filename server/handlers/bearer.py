"""Bearer: from the ``Authorization`` header to whoever is asking."""

from __future__ import annotations

from aiohttp import hdrs, web

from server.keys import IDENTITIES, SETTINGS
from server.services.access import Actor, NotSignedIn


def bearer_token(request: web.Request) -> str:
    """The access token of a request; raises :class:`NotSignedIn` without one."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn()
    return token


async def identify(request: web.Request) -> Actor:
    """Who is asking; for ``app[IDENTIFY]``. Raises :class:`NotSignedIn` and its children."""
    return await request.app[IDENTITIES].identify(bearer_token(request))


def address_of(request: web.Request) -> str:
    """The address a request comes from, by our own proxy's word where there is one."""
    if request.app[SETTINGS].trust_proxy:
        # What stands before the last comma was written by the sender.
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if forwarded:
            return forwarded
    return request.remote or ""
