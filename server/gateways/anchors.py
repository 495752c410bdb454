"""Anchors: the ones an operator chose, opened together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession

from server.gateways.anchoring import Anchor, ChainDock, FileAnchor
from server.gateways.timestamping import TimeStampAuthority
from server.settings import Settings


@asynccontextmanager
async def anchors_of(settings: Settings) -> AsyncIterator[list[Anchor]]:
    """The file always; a time-stamp authority and a blockchain where the settings name one."""
    async with ClientSession() as http:
        chosen: list[Anchor] = [FileAnchor(settings.anchor_file)]
        if settings.tsa_url:
            chosen.append(TimeStampAuthority(http, url=settings.tsa_url, roots=settings.tsa_ca_file))
        if settings.chain_dock_url:
            chosen.append(ChainDock(http, url=settings.chain_dock_url))
        yield chosen
