"""Papers: PDF documents, searched for what would run, and copied page by page for showing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream

from server.gateways.lab import Flaw, Flawed

MOST_OBJECTS = 60_000
MOST_PAGES = 500
DEEPEST = 40
STAMP_SIDE = 1_000
"""Pixels of the longer side of the stamp; a viewer smooths it."""

_RUNS = {"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/Rendition", "/RichMediaExecute", "/GoToE"}
_ACTIVE_KEYS = {"/JS", "/XFA", "/RichMediaContent"}
_SAFE_SCHEMES = ("http://", "https://", "mailto:", "tel:")
_INVOICE_DATA = (".xml", ".xbrl")
"""What an electronic invoice carries by the accounting standard for electronic vouchers."""
_PAGE_KEYS = {"/Type", "/MediaBox", "/CropBox", "/Rotate", "/UserUnit", "/Resources", "/Contents"}
_END = b"%%EOF"
_BLANK = b"\0\t\n\f\r "


def examine(source: Path, shown: Path, watermark: str) -> int:
    """Write the copy to show and return the number of pages."""
    _require_whole(source.read_bytes())
    with _opened(source) as pdf:
        _require_passive(pdf)
        with Pdf.new() as copy:
            append_pages(copy, pdf)
            if watermark:
                _stamp(copy, watermark)
            pages = len(copy.pages)
            write(copy, shown)
    return pages


def append_pages(target: Pdf, source: Pdf) -> None:
    """Copy the pages alone: no scripts, links, attachments, metadata, forms or outlines come along.

    What forms and seals look like is drawn into the page first: an electronic seal is an annotation.
    """
    if Name.AcroForm in source.Root or any(Name.Annots in page for page in source.pages):
        source.flatten_annotations("all")
    first = len(target.pages)
    target.pages.extend(source.pages)
    for page in list(target.pages)[first:]:
        for key in set(page.obj.keys()) - _PAGE_KEYS - {"/Parent"}:
            del page.obj[key]


def write(pdf: Pdf, target: Path) -> None:
    """Save without ever unfolding a stream: 200 KB may hold 200 MB."""
    pdf.remove_unreferenced_resources()
    pdf.save(
        target,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
        compress_streams=True,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        deterministic_id=True,
    )


def opened_for_merging(source: Path) -> Pdf:
    """A paper that was taken before; the caller closes it."""
    return _opened(source)


def _opened(source: Path) -> Pdf:
    try:
        # Without recovery: a file that two readers may read in two ways is no evidence.
        pdf = Pdf.open(source, attempt_recovery=False)
    except pikepdf.PasswordError:
        raise Flawed(Flaw.LOCKED) from None
    except MemoryError:
        raise Flawed(Flaw.HEAVY) from None
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, RuntimeError):
        raise Flawed(Flaw.DAMAGED) from None
    if pdf.is_encrypted:
        raise Flawed(Flaw.LOCKED)
    try:
        pages = len(pdf.pages)
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, RuntimeError):
        raise Flawed(Flaw.DAMAGED) from None
    if not pages:
        raise Flawed(Flaw.DAMAGED)
    if pages > MOST_PAGES or len(pdf.objects) > MOST_OBJECTS:
        raise Flawed(Flaw.HEAVY)
    return pdf


def _require_whole(data: bytes) -> None:
    """From the first byte to the last it is this document and nothing else."""
    end = data.rfind(_END)
    if end < 0:
        raise Flawed(Flaw.DAMAGED)
    if data[end + len(_END) :].strip(_BLANK):
        raise Flawed(Flaw.DISGUISED)


def _require_passive(pdf: Pdf) -> None:
    for thing in pdf.objects:
        for found in _dictionaries(thing, DEEPEST):
            _require_harmless(found)


def _dictionaries(thing: Any, levels: int) -> Iterator[Any]:
    """The dictionaries written directly into an object; what it refers to is visited by itself."""
    if not levels:
        raise Flawed(Flaw.HEAVY)
    if isinstance(thing, Dictionary | Stream):
        yield thing
        inner: Sequence[Any] = [value for _, value in thing.items()]
    elif isinstance(thing, Array):
        inner = list(thing)
    else:
        return
    for value in inner:
        if isinstance(value, Dictionary | Array) and not value.is_indirect:
            yield from _dictionaries(value, levels - 1)


def _require_harmless(found: Any) -> None:
    keys = set(found.keys())
    if keys & _ACTIVE_KEYS or str(found.get("/S", "")) in _RUNS:
        raise Flawed(Flaw.ACTIVE)
    address = found.get("/URI")
    if isinstance(address, pikepdf.String) and not _is_safe(str(address)):
        raise Flawed(Flaw.ACTIVE)
    if "/EF" in keys:
        name = str(found.get("/UF", found.get("/F", "")))
        if not name.lower().endswith(_INVOICE_DATA):
            raise Flawed(Flaw.DISGUISED)
    if isinstance(found, Stream) and "/F" in keys:
        # A stream whose content lies in another file.
        raise Flawed(Flaw.ACTIVE)


def _is_safe(address: str) -> bool:
    return ":" not in address or address.strip().lower().startswith(_SAFE_SCHEMES)


def _stamp(pdf: Pdf, text: str) -> None:
    from server.gateways.lab.stamp import GREY, mask

    masks: dict[tuple[int, int], Any] = {}
    for page in pdf.pages:
        left, bottom, right, top = (float(edge) for edge in page.cropbox)
        width, height = abs(right - left) or 1.0, abs(top - bottom) or 1.0
        scale = STAMP_SIDE / max(width, height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        if size not in masks:
            masks[size] = _stamp_image(pdf, size, mask(size, text).tobytes(), GREY)
        name = page.add_resource(masks[size], Name.XObject)
        page.contents_add(pdf.make_stream(b"q\n"), prepend=True)
        place = f"\nQ q {width:.2f} 0 0 {height:.2f} {min(left, right):.2f} {min(bottom, top):.2f} cm"
        page.contents_add(pdf.make_stream(f"{place} {name} Do Q\n".encode("ascii")))


def _stamp_image(pdf: Pdf, size: tuple[int, int], alpha: bytes, colour: tuple[int, int, int]) -> Any:
    width, height = size
    transparency = pdf.make_stream(
        alpha,
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=width,
        Height=height,
        ColorSpace=Name.DeviceGray,
        BitsPerComponent=8,
    )
    return pdf.make_stream(
        bytes(colour),
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=1,
        Height=1,
        ColorSpace=Name.DeviceRGB,
        BitsPerComponent=8,
        SMask=transparency,
    )
