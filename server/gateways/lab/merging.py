"""Merging: several pictures and papers become one PDF, in the order given (GZ-76)."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from pikepdf import Dictionary, Name, Pdf
from PIL import Image

from server.gateways.lab import PDF, Flaw, Flawed, Merged
from server.gateways.lab.papers import append_pages, opened_for_merging, write
from server.gateways.lab.pictures import drawn, encoded

A4_LONG, A4_SHORT = 841.89, 595.28
LADDER: tuple[tuple[int, int], ...] = ((2_400, 85), (2_000, 78), (1_654, 72), (1_240, 65), (1_000, 55))
"""Pixels of the longer side and JPEG quality, from fine to just readable (1,240 is A4 at 106 dpi)."""


def merge(sources: list[tuple[Path, str]], target: Path, max_bytes: int) -> Merged:
    """Write one PDF of at most ``max_bytes``; pictures are made smaller step by step until it fits.

    Raises ``Flawed(HEAVY)`` if it does not fit at the last step.
    """
    for step, (longest, quality) in enumerate(LADDER):
        with Pdf.new() as pdf:
            for path, media_type in sources:
                if media_type == PDF:
                    with opened_for_merging(path) as paper:
                        append_pages(pdf, paper)
                else:
                    _append_picture(pdf, drawn(path, media_type, longest), quality)
            pages = len(pdf.pages)
            write(pdf, target)
        if target.stat().st_size <= max_bytes:
            return Merged(pages=pages, longest_side=longest if step else 0)
        if all(media_type == PDF for _, media_type in sources):
            break
    raise Flawed(Flaw.HEAVY)


def _append_picture(pdf: Pdf, picture: Image.Image, quality: int) -> None:
    """One page as large as the picture fits on A4."""
    width, height = picture.size
    page_long, page_short = (A4_LONG, A4_SHORT)
    across, up = (page_long, page_short) if width > height else (page_short, page_long)
    scale = min(across / width, up / height)
    box = [0, 0, round(width * scale, 2), round(height * scale, 2)]
    image = pdf.make_stream(
        BytesIO(encoded(picture, quality)).getvalue(),
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=width,
        Height=height,
        ColorSpace=Name.DeviceRGB,
        BitsPerComponent=8,
        Filter=Name.DCTDecode,
    )
    draw = f"q {box[2]} 0 0 {box[3]} 0 0 cm /Im0 Do Q".encode("ascii")
    page = pdf.add_blank_page(page_size=(box[2], box[3]))
    page.obj[Name.Resources] = Dictionary(XObject=Dictionary(Im0=image))
    page.obj[Name.Contents] = pdf.make_stream(draw)
