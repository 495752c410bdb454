"""Pictures: JPEG and PNG, opened, judged, and drawn anew without anything but their pixels."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageFilter, ImageOps, ImageStat

from server.gateways.lab import JPEG, LARGEST_PIXELS, LONGEST_SHOWN, Flaw, Flawed
from server.gateways.lab.marks import require_no_container, require_no_markup

# The size is checked here, before anything is unfolded.
Image.MAX_IMAGE_PIXELS = None

FORMATS = {JPEG: ("JPEG",), "image/png": ("PNG",)}
SHOWN_QUALITY = 85
LOOKED_AT = 1_000
"""Pixels of the longer side at which quality is judged."""
SMALLEST_SIDE = 800
"""Pixels of the shorter side below which print on a paper can hardly be read."""
DARKEST = 60
"""Mean brightness of 255; a photographed page lies above 120."""
LEAST_COLOUR = 4
"""Mean distance of 255 between a pixel's channels; grey scans have none."""
LEAST_EDGES = 20
"""Variance of the second derivative: print in focus has hundreds."""
_LAPLACE = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)

_SCAN, _END, _APPLICATION, _COMMENT = 0xDA, 0xD9, range(0xE0, 0xF0), 0xFE
_ALONE = {0x01, *range(0xD0, 0xD8)}
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_PNG_PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}


def examine(source: Path, media_type: str, shown: Path, watermark: str) -> list[str]:
    """Write the copy to show (JPEG, upright, no metadata) and return hints on its quality (GZ-77)."""
    data = source.read_bytes()
    require_no_markup(data)
    beside = _beside_jpeg(data) if media_type == JPEG else _beside_png(data)
    require_no_container(beside)
    picture = drawn(source, media_type, LONGEST_SHOWN)
    with Image.open(source, formats=FORMATS[media_type]) as original:
        hints = hints_on(picture, original.size)
    if watermark:
        from server.gateways.lab.stamp import stamped

        picture = stamped(picture, watermark)
    shown.write_bytes(encoded(picture, SHOWN_QUALITY))
    return hints


def drawn(source: Path, media_type: str, longest: int) -> Image.Image:
    """The pixels alone: upright, in RGB on white, the longer side at most ``longest``."""
    try:
        with Image.open(source, formats=FORMATS[media_type]) as picture:
            width, height = picture.size
            if width * height > LARGEST_PIXELS:
                raise Flawed(Flaw.HEAVY)
            if media_type == JPEG:
                # The decoder then unfolds a fraction of the pixels; a stray frame of a phone is no page.
                picture.draft("RGB", (longest, longest))
            elif getattr(picture, "n_frames", 1) > 1:
                raise Flawed(Flaw.DISGUISED)
            picture.load()
            picture.thumbnail((longest, longest), reducing_gap=2.0)
            return _on_white(ImageOps.exif_transpose(picture))
    except MemoryError:
        raise Flawed(Flaw.HEAVY) from None
    # Pillow tells of a broken file in all of these ways.
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, OverflowError):
        raise Flawed(Flaw.DAMAGED) from None


def encoded(picture: Image.Image, quality: int) -> bytes:
    """A JPEG with nothing in it but the picture."""
    # A new picture: Pillow would write comments and profiles of the old one again.
    pixels = Image.new("RGB", picture.size)
    pixels.paste(picture)
    buffer = BytesIO()
    pixels.save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()


def hints_on(picture: Image.Image, size: tuple[int, int]) -> list[str]:
    """Codes of what may make a reviewer send the paper back."""
    small = picture.copy()
    small.thumbnail((LOOKED_AT, LOOKED_AT))
    grey = small.convert("L")
    red, green, blue = ImageStat.Stat(ImageOps.autocontrast(small, cutoff=1)).mean
    saturation = ImageStat.Stat(small.convert("HSV").getchannel("S")).mean[0]
    found = []
    if min(size) < SMALLEST_SIDE:
        found.append("small")
    if saturation < LEAST_COLOUR and max(red, green, blue) - min(red, green, blue) < LEAST_COLOUR:
        found.append("grey")
    if ImageStat.Stat(grey).mean[0] < DARKEST:
        found.append("dark")
    if (
        ImageStat.Stat(grey.filter(_LAPLACE).crop((1, 1, grey.width - 1, grey.height - 1))).var[0]
        < LEAST_EDGES
    ):
        found.append("blurred")
    return found


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        with_alpha = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, (255, 255, 255, 255))
        paper.alpha_composite(with_alpha)
        return paper.convert("RGB")
    if picture.mode.startswith("I") or picture.mode == "F":
        # Sixteen bits a pixel; Pillow would cut them off instead of scaling them.
        picture = picture.point(lambda value: value / 256).convert("L")
    return picture.convert("RGB")


def _beside_jpeg(data: bytes) -> bytes:
    """Everything in a JPEG that is no picture: what it says about itself, and what follows its end.

    Telephones append more pictures and films after the end, so an appendix alone is no fault.
    """
    beside, at = bytearray(), 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise Flawed(Flaw.DAMAGED)
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == _END:
            return bytes(beside + data[at + 2 :])
        elif marker in _ALONE:
            at += 2
        else:
            after = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
            if marker in _APPLICATION or marker == _COMMENT:
                beside += data[at + 4 : after]
            at = _next_marker(data, after) if marker == _SCAN else after
    if data[at : at + 2] == bytes((0xFF, _END)):
        return bytes(beside)
    raise Flawed(Flaw.DAMAGED)


def _next_marker(data: bytes, at: int) -> int:
    """Where the entropy-coded part of a scan ends."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise Flawed(Flaw.DAMAGED)
        after = data[at + 1]
        if after and after not in _ALONE and after != 0xFF:
            return at
        at += 1 if after == 0xFF else 2


def _beside_png(data: bytes) -> bytes:
    """Everything in a PNG that is no picture. Nothing may follow its end: no camera writes there."""
    if not data.startswith(_PNG_HEAD):
        raise Flawed(Flaw.DAMAGED)
    beside, at = bytearray(), len(_PNG_HEAD)
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind not in _PNG_PIXELS:
            beside += data[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"IEND":
            if data[at:].strip(b"\0"):
                raise Flawed(Flaw.DISGUISED)
            return bytes(beside)
    raise Flawed(Flaw.DAMAGED)
