"""The picture of a signature or a seal, made fit for a document: paper taken away, cut to the ink, checked.

Decree 30/2020, Annex I: the signature is blue, the seal red and of its true size, both on a transparent ground, at
300 dpi or more. Works on a stranger's file: call it in the limited process.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from itertools import accumulate
from typing import Final

from PIL import Image, ImageChops, ImageFilter, ImageOps, UnidentifiedImageError

from pki.errors import PictureRefused
from pki.layout.signature_block import PICTURE_MM

LARGEST_FILE: Final = 5 * 1024 * 1024
SMALLEST_SEAL_MM: Final = 30.0
LARGEST_SEAL_MM: Final = 42.0
LEAST_DPI: Final = 300
_MOST_DPI: Final = 400
_MOST_PIXELS: Final = 40_000_000
# Longest side that is worked on, and of the preview.
_WORKED_ON: Final = 2400
_PREVIEW: Final = 700
_MM_PER_INCH: Final = 25.4
# How much darker than the paper a pixel is where ink begins, and where it is nothing but ink; of 255.
_INK_BEGINS: Final = 28
_INK_IS_FULL: Final = 84
# Below it a pixel is paper that was not quite white.
_VISIBLE: Final = 40
_SOLID: Final = 128
# Part of the picture that ink covers: less is a speck, more is a photograph.
_LEAST_INK: Final = 0.002
_MOST_INK: Final = 0.75
# Hues as Pillow counts them, 256 to the circle: from cyan-blue to violet, and red around 0.
_BLUES: Final = frozenset(range(132, 196))
_REDS: Final = frozenset((*range(14), *range(236, 256)))
_COLOURED: Final = 50
_LEAST_COLOURED: Final = 0.7
# Width by height of a seal that is round.
_LEAST_ROUND: Final = 0.93


class PictureKind(StrEnum):
    SIGNATURE = "signature"
    SEAL = "seal"


class PictureFault(StrEnum):
    NOT_A_PICTURE = "not_a_picture"
    TOO_LARGE = "too_large"
    # No ink, or nothing but ink.
    NO_INK = "no_ink"
    ONLY_INK = "only_ink"
    NOT_BLUE = "not_blue"
    NOT_RED = "not_red"
    NOT_ROUND = "not_round"
    TOO_COARSE = "too_coarse"
    SIZE_IMPLAUSIBLE = "size_implausible"


@dataclass(frozen=True)
class Cleaned:
    """A transparent PNG and its size on paper."""

    png: bytes
    # What was sent, reduced, as PNG.
    before_png: bytes
    width_mm: float
    height_mm: float
    # Of what was sent, at that size.
    dpi: int
    # Part of the ink that has the colour it should have, 0 to 1.
    coloured: float
    # The paper was there and was taken away; False for a picture that was transparent already.
    paper_removed: bool


def clean(content: bytes, kind: PictureKind, *, diameter_mm: float | None = None) -> Cleaned:
    """Return the picture ready for a document; `diameter_mm` is the seal's as registered, None for a signature.

    Raises PictureRefused.
    """
    if kind is PictureKind.SEAL and not SMALLEST_SEAL_MM <= (diameter_mm or 0.0) <= LARGEST_SEAL_MM:
        raise PictureRefused(PictureFault.SIZE_IMPLAUSIBLE)
    opened = _open(content)
    before = _png(_reduced(opened, _PREVIEW))
    picture, scale = _worked_on(opened)
    paper_removed = sum(picture.getchannel("A").histogram()[:_SOLID]) == 0
    inked = _without_paper(picture) if paper_removed else picture
    cut = _cut(inked)
    width_mm, height_mm = _size(cut, kind, diameter_mm)
    dpi = cut.width / scale / width_mm * _MM_PER_INCH
    coloured = _share_of(cut, _BLUES if kind is PictureKind.SIGNATURE else _REDS)
    if coloured < _LEAST_COLOURED:
        raise PictureRefused(PictureFault.NOT_BLUE if kind is PictureKind.SIGNATURE else PictureFault.NOT_RED)
    # A pixel more or less at the edge is not a coarser picture.
    if dpi < LEAST_DPI - 1:
        raise PictureRefused(PictureFault.TOO_COARSE)
    final = _reduced(cut, round(max(width_mm, height_mm) / _MM_PER_INCH * _MOST_DPI))
    return Cleaned(_png(final), before, width_mm, height_mm, round(dpi), coloured, paper_removed)


def _open(content: bytes) -> Image.Image:
    if len(content) > LARGEST_FILE:
        raise PictureRefused(PictureFault.TOO_LARGE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=["PNG", "JPEG"]) as opened:
                if opened.width * opened.height > _MOST_PIXELS:
                    raise PictureRefused(PictureFault.TOO_LARGE)
                # Telephones write how they were held.
                return ImageOps.exif_transpose(opened).convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise PictureRefused(PictureFault.NOT_A_PICTURE) from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise PictureRefused(PictureFault.TOO_LARGE) from error


def _reduced(picture: Image.Image, longest: int) -> Image.Image:
    made = picture.copy()
    made.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return made


def _worked_on(opened: Image.Image) -> tuple[Image.Image, float]:
    """Return the picture at a size that is quick to work on, and how much smaller it became."""
    made = _reduced(opened, _WORKED_ON)
    return made, made.width / opened.width


def _without_paper(picture: Image.Image) -> Image.Image:
    """Make transparent what is as bright as the paper around it: shadows of a photograph are paper too."""
    colours = picture.convert("RGB")
    small = colours.resize((max(1, colours.width // 16), max(1, colours.height // 16)), Image.Resampling.BOX)
    paper = small.filter(ImageFilter.MaxFilter(9)).filter(ImageFilter.GaussianBlur(4)).resize(colours.size)
    darker = ImageChops.subtract(paper, colours)
    red, green, blue = darker.split()
    strength = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    slope = 255 / (_INK_IS_FULL - _INK_BEGINS)
    alpha = strength.point([round(min(255, max(0, (one - _INK_BEGINS) * slope))) for one in range(256)])
    return _edges_of_ink(colours, alpha.filter(ImageFilter.MedianFilter(3)))


def _edges_of_ink(colours: Image.Image, alpha: Image.Image) -> Image.Image:
    """Give half-transparent edges the colour of the ink instead of a mixture with the paper."""
    solid = alpha.point([255 if one > 200 else 0 for one in range(256)])
    ink = Image.new("RGB", colours.size, _middle_colour(colours, solid))
    made = Image.composite(colours, ink, solid).convert("RGBA")
    made.putalpha(alpha)
    return made


def _middle_colour(colours: Image.Image, mask: Image.Image) -> tuple[int, int, int]:
    red, green, blue = (_median(channel.histogram(mask)) for channel in colours.split())
    return (red, green, blue)


def _median(histogram: list[int]) -> int:
    half = sum(histogram) / 2
    return next(value for value, seen in enumerate(accumulate(histogram)) if seen >= half)


def _cut(picture: Image.Image) -> Image.Image:
    """Return the part with ink. Raises PictureRefused(NO_INK, ONLY_INK)."""
    visible = picture.getchannel("A").point([255 if one > _VISIBLE else 0 for one in range(256)])
    share = visible.histogram()[255] / (picture.width * picture.height)
    box = visible.getbbox()
    if box is None or share < _LEAST_INK:
        raise PictureRefused(PictureFault.NO_INK)
    cut = picture.crop(box)
    if visible.crop(box).histogram()[255] > _MOST_INK * cut.width * cut.height:
        raise PictureRefused(PictureFault.ONLY_INK)
    return cut


def _size(cut: Image.Image, kind: PictureKind, diameter_mm: float | None) -> tuple[float, float]:
    """Return width and height on paper. Raises PictureRefused(NOT_ROUND)."""
    if kind is PictureKind.SIGNATURE or diameter_mm is None:
        scale = min(PICTURE_MM[0] / cut.width, PICTURE_MM[1] / cut.height)
        return cut.width * scale, cut.height * scale
    longest, shortest = max(cut.size), min(cut.size)
    if shortest < _LEAST_ROUND * longest:
        raise PictureRefused(PictureFault.NOT_ROUND)
    return cut.width / longest * diameter_mm, cut.height / longest * diameter_mm


def _share_of(cut: Image.Image, hues: frozenset[int]) -> float:
    """Return which part of the ink has one of the hues and is no grey."""
    hue, saturation, _ = cut.convert("RGB").convert("HSV").split()
    solid = cut.getchannel("A").point([255 if one > _SOLID else 0 for one in range(256)])
    coloured = saturation.point([255 if one > _COLOURED else 0 for one in range(256)])
    fitting = hue.point([255 if one in hues else 0 for one in range(256)])
    both = ImageChops.darker(ImageChops.darker(solid, coloured), fitting)
    return both.histogram()[255] / max(1, solid.histogram()[255])


def _png(picture: Image.Image) -> bytes:
    output = BytesIO()
    picture.save(output, "PNG", optimize=True)
    return output.getvalue()
