"""File safety: what a file's name, size and first bytes must be before anybody opens it.

Nothing here trusts what the sender says: the type is decided by the content, and name and declaration
must agree with it. What lies inside is judged in the lab.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import unquote

import filetype

from server import texts
from server.errors import Refusal
from server.gateways.lab import AMR, JPEG, MP4, PDF, PNG, Flaw
from server.programme.model import Programme
from server.rules.evidence import UploadedFile, file_faults

MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {"pdf": PDF, "jpg": JPEG, "jpeg": JPEG, "png": PNG, "mp4": MP4, "amr": AMR}
)
"""What each extension stands for. What is not here cannot be opened, and so is never taken."""

LONGEST_NAME = 200
HEAD_BYTES = 8_192
"""As much as deciding the type by content takes."""

_SAME_TYPE = {
    "image/jpg": JPEG,
    "image/pjpeg": JPEG,
    "image/x-png": PNG,
    "application/x-pdf": PDF,
    "application/octet-stream": "",
}
_RUNS = frozenset(
    {
        *("asp", "aspx", "bat", "cgi", "cmd", "com", "cpl", "dll", "exe", "hta", "htm", "html", "jar", "js"),
        *("jse", "jsp", "lnk", "mht", "msi", "php", "phtml", "pif", "ps1", "py", "scr", "sh", "shtml"),
        *("svg", "svgz", "vbe", "vbs", "wsf", "xhtml", "xml", "xsl"),
    }
)
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(1, 10))]
)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class FileRefused(Refusal):
    """A file that is not taken, whatever is tried again with the same bytes and name."""


class FileNameUnusable(FileRefused):
    """The name is a path, a device, hides its end, or holds what cannot be seen."""

    status, code = 422, "file_name_unusable"


class FileUnacceptable(FileRefused):
    """The programme's file rules are not met; ``unmet`` says which (GZ-76 to GZ-78)."""

    status, code = 422, "file_unacceptable"


class FileTypeMismatch(FileRefused):
    """Content, extension and declared type do not say the same."""

    status, code = 422, "file_type_mismatch"


class FileBroken(FileRefused):
    """It cannot be opened, or it breaks off."""

    status, code = 422, "file_broken"


class FileLocked(FileRefused):
    """It is encrypted."""

    status, code = 422, "file_locked"


class FileActive(FileRefused):
    """It would run, send or fetch something when opened."""

    status, code = 422, "file_active"


class FileDisguised(FileRefused):
    """Something else is hidden in it or behind it."""

    status, code = 422, "file_disguised"


class FileTooHeavy(FileRefused):
    """It unfolds to more than may be opened."""

    status, code = 422, "file_too_heavy"


class FileInfected(FileRefused):
    """It carries a known virus."""

    status, code = 422, "file_infected"


FLAWS: Mapping[Flaw, type[FileRefused]] = MappingProxyType(
    {
        Flaw.DAMAGED: FileBroken,
        Flaw.LOCKED: FileLocked,
        Flaw.ACTIVE: FileActive,
        Flaw.DISGUISED: FileDisguised,
        Flaw.HEAVY: FileTooHeavy,
        Flaw.INFECTED: FileInfected,
    }
)
"""The refusal for each thing that the lab may find."""


def usable_name(name: str) -> str:
    """A name as it is kept. Raises :class:`FileNameUnusable`: a name is shown, and saved by who reads it."""
    kept = unicodedata.normalize("NFC", name).strip()
    if fault := _name_fault(kept):
        raise FileNameUnusable(problem=texts.FILE_NAME_FAULTS[fault].format(most=LONGEST_NAME))
    return kept


def _name_fault(name: str) -> str:
    if not name:
        return "missing"
    if len(name) > LONGEST_NAME:
        return "long"
    if any(unicodedata.category(letter) in _UNSEEN for letter in name):
        return "unseen"
    # However the slash is written: a full-width one, or one in percent signs, is somebody's slash later.
    plain = unicodedata.normalize("NFKC", unquote(unquote(name)))
    if any(mark in plain for mark in "/\\\0") or plain.startswith("."):
        return "path"
    stem, *suffixes = plain.split(".")
    if stem.strip().upper() in _DEVICES:
        return "device"
    if any(suffix.strip().lower() in _RUNS for suffix in suffixes[:-1]):
        return "double"
    return ""


def extension_of(name: str) -> str:
    """The extension in lower case without its dot; empty if there is none."""
    stem, dot, extension = name.rpartition(".")
    return extension.lower() if dot and stem else ""


def require_acceptable(programme: Programme, name: str, size_bytes: int) -> None:
    """Raise :class:`FileUnacceptable` with every rule of the programme that the file breaks."""
    extension = extension_of(name)
    faults = file_faults(programme.files, UploadedFile(extension=extension, size_bytes=size_bytes))
    if faults:
        raise FileUnacceptable(
            clause=programme.files.article,
            arithmetic=next((fault.arithmetic for fault in faults if fault.arithmetic), ""),
            unmet=faults,
            name=name,
            count=len(faults),
        )
    if extension not in MEDIA_TYPES:
        raise FileBroken(name=name)


def require_declared(programme: Programme, name: str, declared: str) -> None:
    """Raise :class:`FileTypeMismatch` if the sender declares another type than the name does."""
    said = declared.partition(";")[0].strip().lower()
    said, expected = _SAME_TYPE.get(said, said), MEDIA_TYPES[extension_of(name)]
    if said and said != expected:
        raise _mismatch(programme, name, said, expected)


def require_true(programme: Programme, name: str, head: bytes) -> str:
    """The type by the first bytes. Raises :class:`FileTypeMismatch` if the name says another."""
    found: str = filetype.guess_mime(head) or ""
    expected = MEDIA_TYPES[extension_of(name)]
    if found != expected:
        raise _mismatch(programme, name, found, expected)
    return expected


def _mismatch(programme: Programme, name: str, found: str, expected: str) -> FileTypeMismatch:
    return FileTypeMismatch(
        clause=programme.files.article, name=name, found=_spoken(found), expected=_spoken(expected)
    )


def _spoken(media_type: str) -> str:
    return texts.MEDIA_TYPES.get(media_type, texts.MEDIA_TYPE_UNKNOWN)
