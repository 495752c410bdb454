"""Marks: byte patterns that have no business in a picture or behind the end of a document."""

from __future__ import annotations

import zipfile
from pathlib import Path

from server.gateways.lab import Flaw, Flawed

# In two parts, or a scanner would take this very file for the test virus.
_TEST_VIRUS = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!"
_MARKUP = (b"<?php", b"<script", b"<html", b"<svg", b"<!doctype", b"<iframe")
_CONTAINERS = (b"PK\x03\x04", b"PK\x05\x06", b"%PDF-", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x7fELF")


def require_clean(path: Path, data: bytes) -> None:
    """Refuse what is a ZIP archive at the same time (its index stands at the end), or a known virus."""
    if _TEST_VIRUS in data:
        raise Flawed(Flaw.INFECTED)
    if zipfile.is_zipfile(path):
        raise Flawed(Flaw.DISGUISED)


def require_no_markup(data: bytes) -> None:
    """Refuse a picture in which a browser or a web server could find something to run."""
    lowered = data.lower()
    if any(mark in lowered for mark in _MARKUP):
        raise Flawed(Flaw.DISGUISED)


def require_no_container(data: bytes) -> None:
    """Refuse another kind of file inside what a picture says about itself, or behind it."""
    if any(mark in data for mark in _CONTAINERS):
        raise Flawed(Flaw.DISGUISED)
