"""Seeds: honest files, from which the hostile ones are made."""

from __future__ import annotations

import zlib
from functools import cache
from io import BytesIO
from random import Random
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String
from PIL import Image, ImageDraw

PLACE = b"\x00\x00\x00\x1cQIQUAN-GPS"


@cache
def page(width: int = 1_200, height: int = 1_600, seed: int = 1) -> Image.Image:
    """A sheet with coloured print in focus."""
    random = Random(seed)
    picture = Image.new("RGB", (width, height), (252, 250, 240))
    draw = ImageDraw.Draw(picture)
    for _ in range(60):
        place = random.randrange(width), random.randrange(height)
        colour = random.randrange(200), 20, random.randrange(120)
        draw.text(place, "CERTIFICATE 0123456789", fill=colour, font_size=max(12, height // 40))
    return picture


def photo(picture: Image.Image | None = None, **options: Any) -> bytes:
    """A JPEG as a telephone makes it."""
    return _written(picture or page(), "JPEG", quality=85, **options)


def drawing(picture: Image.Image | None = None, **options: Any) -> bytes:
    """A PNG."""
    return _written(picture or page(400, 500), "PNG", **options)


def noise(width: int, height: int, seed: int = 3) -> bytes:
    """A JPEG that hardly compresses."""
    pixels = Random(seed).randbytes(width * height * 3)
    return _written(Image.frombytes("RGB", (width, height), pixels), "JPEG", quality=92)


def located_photo() -> bytes:
    """A JPEG that says where it was taken, by what, and is stored lying on its side."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "QIQUAN-MAKER", "QIQUAN-PHONE", 6
    exif[0x8825] = {1: "N", 2: (28.0, 27.0, 54.0), 3: "E", 4: (119.0, 55.0, 22.0), 29: "2026:05:18"}
    return photo(exif=exif, comment=b"QIQUAN-COMMENT")


def paper(pages: int = 1, *, padded_to: int = 0, change: Any = None, **options: Any) -> bytes:
    """A PDF with a line of vector drawing on each page; ``change`` may spoil it before it is written.

    With ``padded_to`` it has exactly so many bytes.
    """
    with Pdf.new() as pdf:
        for _ in range(pages):
            sheet = pdf.add_blank_page(page_size=(595, 842))
            sheet.contents_add(b"1 0 0 RG 50 50 m 500 700 l S")
        if change is not None:
            change(pdf)
        buffer = BytesIO()
        pdf.save(buffer, deterministic_id="encryption" not in options, **options)
    content = buffer.getvalue()
    return _padded(content, padded_to) if padded_to else content


def _padded(content: bytes, size: int) -> bytes:
    """The same with a comment in it, and the table of offsets moved accordingly."""
    padding = size - len(content)
    while len(padded := _shifted(content, padding)) != size:
        padding -= len(padded) - size
    return padded


def _shifted(content: bytes, by: int) -> bytes:
    content = content.replace(b"\n", b"\n%" + b"p" * (by - 2) + b"\n", 1)
    table = content.rindex(b"\nxref\n") + 1
    head, tail = content[:table], content[table:]
    lines = tail.split(b"\n")
    moved = [b"%010d%s" % (int(line[:10]) + by, line[10:]) if line[17:18] == b"n" else line for line in lines]
    place = moved.index(b"startxref") + 1
    moved[place] = b"%d" % table
    return head + b"\n".join(moved)


def film(*, place: bool = False) -> bytes:
    """An MP4: the boxes a player needs, a little data, and where it was taken if asked for."""
    told = _box(b"udta", _box(b"\xa9xyz", PLACE)) if place else b""
    moov = _box(b"moov", _box(b"mvhd", bytes(100)) + _box(b"trak", _box(b"tkhd", bytes(84))) + told)
    return _box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + moov + _box(b"mdat", bytes(2_000))


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG with its right checksum."""
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def png_of(width: int, height: int) -> bytes:
    """A PNG of one bit a pixel that claims this size and holds that many white pixels."""
    body = deflated((b"\0" + b"\xff" * ((width + 7) // 8)) * 100, times=height // 100)
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\1\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def deflated(block: bytes, *, times: int) -> bytes:
    """What unfolds to ``block`` so many times, made in the time that one takes."""
    packer = zlib.compressobj(9)
    first = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush nothing refers back, so what follows may simply be repeated.
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (times - 1) + packer.flush()


def script() -> Dictionary:
    """An action that would run."""
    return Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def link(pdf: Pdf, action: Dictionary) -> None:
    """Put an annotation with an action on the first page."""
    note = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 99, 99]), A=action)
    pdf.pages[0].obj[Name.Annots] = Array([pdf.make_indirect(note)])


def enclose(pdf: Pdf, name: str, content: bytes) -> None:
    """Attach a file."""
    pdf.attachments[name] = pikepdf.AttachedFileSpec(pdf, content, filename=name)


def _box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def _written(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
