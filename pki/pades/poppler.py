"""Pages drawn by poppler's `pdftoppm`, another program than the one that shows pages elsewhere in the house."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import BinaryIO, Final

from PIL import Image

# A page of this many pixels takes 0.7 MB.
MOST_AT_ONCE: Final = 8
_PATIENCE_SECONDS: Final = 15
_HEADER: Final = re.compile(rb"P5\s(\d{1,5})\s(\d{1,5})\s255\s")


def draw(pdf: BinaryIO, first: int, last: int, longer_side: int) -> list[Image.Image] | None:
    """Return pages `first` to `last` (from 1) in shades of grey, the longer side with so many pixels.

    None where poppler is not installed, takes too long or does not draw every one of these pages.
    """
    program = shutil.which("pdftoppm")
    if program is None:
        return None
    pdf.seek(0)
    words = [program, "-gray", "-cropbox", "-scale-to", str(longer_side), "-f", str(first), "-l", str(last), "-"]
    try:
        made = subprocess.run(  # noqa: S603  a fixed command, no shell; the file comes through a pipe
            words, input=pdf.read(), capture_output=True, check=False, env={}, timeout=_PATIENCE_SECONDS
        )
    except (subprocess.TimeoutExpired, OSError):
        return None
    pages = _pages(made.stdout)
    return pages if len(pages) == last - first + 1 else None


def _pages(pixels: bytes) -> list[Image.Image]:
    """Return the pictures of a row of portable grey maps, up to the first that is not whole."""
    found, at = [], 0
    while header := _HEADER.match(pixels, at):
        width, height = int(header[1]), int(header[2])
        at = header.end() + width * height
        if at > len(pixels):
            break
        found.append(Image.frombytes("L", (width, height), pixels[header.end() : at]))
    return found
