"""The stamp: what a shown copy of an identity paper may be used for, written all over it."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files

from PIL import Image, ImageDraw, ImageFont

GREY = (128, 128, 128)
"""Seen on white paper and on a dark photograph alike."""
STRENGTH = 112
"""Of 255: what stands below stays readable."""
SLANT_DEGREES = 30


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    with as_file(files("pylopdf_fonts_zh_cn") / "NotoSansSC-Regular.otf") as font:
        return ImageFont.truetype(font, size)


def mask(size: tuple[int, int], text: str) -> Image.Image:
    """How strongly the text covers each pixel: it is repeated, slanted, over the whole size."""
    width, height = size
    letters = max(12, min(size) // 28)
    font = _font(letters)
    step_x, step_y = int(font.getlength(text)) + 3 * letters, 5 * letters
    # Large enough that the turned square still covers every corner.
    side = width + height
    canvas = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(canvas)
    for row, y in enumerate(range(0, side, step_y)):
        for x in range(-(row % 2) * step_x // 2, side, step_x):
            draw.text((x, y), text, fill=STRENGTH, font=font)
    turned = canvas.rotate(SLANT_DEGREES)
    x, y = (side - width) // 2, (side - height) // 2
    return turned.crop((x, y, x + width, y + height))


def stamped(picture: Image.Image, text: str) -> Image.Image:
    """The picture with the text over it."""
    return Image.composite(Image.new("RGB", picture.size, GREY), picture, mask(picture.size, text))
