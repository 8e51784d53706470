"""The pass drawn as a QR code: numeric mode, version 9 or smaller, black on white (ISO/IEC 18004)."""

from __future__ import annotations

import io
import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

import qrcode
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M, ERROR_CORRECT_Q
from qrcode.exceptions import DataOverflowError
from qrcode.util import MODE_8BIT_BYTE, MODE_ALPHA_NUM, MODE_NUMBER, QRData

from pki.errors import ProfileViolation

# Measured: up to here phones decode under blur, glare and dim screens; from version 11 they begin to fail.
LARGEST_VERSION: Final = 9
# On paper, with modules of 0.38 mm and more, one more version is read as well (docs/adr/0010).
LARGEST_LINK_VERSION: Final = 10
QUIET_ZONE: Final = 4
_ALPHANUMERIC: Final = re.compile(r"[0-9A-Z $%*+\-./:]+")


class Level(StrEnum):
    """How much damage the code survives: M makes larger modules for screens, Q bears scratches on paper."""

    SCREEN = "M"
    PAPER = "Q"


@lru_cache(maxsize=2)
def matrix(digits: str, level: Level) -> list[list[bool]]:
    """Return the modules by row (True is black) with the quiet zone. Raises ProfileViolation unless digits that fit.

    Choosing the mask takes 10 ms, so the last ones are kept: the same code stands in a mail and in its letter. They are
    only to be read.
    """
    correction = ERROR_CORRECT_M if level is Level.SCREEN else ERROR_CORRECT_Q
    return _modules([(digits, MODE_NUMBER)], correction, LARGEST_VERSION)


def link_matrix(address: str, digits: str) -> list[list[bool]]:
    """Return the modules of `address#digits` at level M, each part in its densest mode; see `matrix`.

    `address` is ASCII; in upper case it takes 5.5 bits a character instead of 8. Raises ProfileViolation if it is not,
    or if the symbol would need more than version 10.
    """
    mode = MODE_ALPHA_NUM if _ALPHANUMERIC.fullmatch(address) else MODE_8BIT_BYTE
    parts = [(address, mode), ("#", MODE_8BIT_BYTE), (digits, MODE_NUMBER)]
    return _modules(parts, ERROR_CORRECT_M, LARGEST_LINK_VERSION)


def _modules(parts: list[tuple[str, int]], correction: int, largest: int) -> list[list[bool]]:
    code = qrcode.QRCode(version=None, error_correction=correction, border=QUIET_ZONE)
    try:
        for text, mode in parts:
            code.add_data(QRData(text.encode("ascii"), mode=mode))
        code.make(fit=True)
    except (DataOverflowError, ValueError) as error:
        raise ProfileViolation("not digits, or more of them than any symbol takes") from error
    if code.version > largest:
        raise ProfileViolation(f"version {code.version} is too dense to be scanned reliably")
    return [[bool(module) for module in row] for row in code.get_matrix()]


def render_svg(digits: str, level: Level = Level.SCREEN) -> str:
    """Return an SVG image with one path, to be sized by its surroundings; always black on white."""
    rows = matrix(digits, level)
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, module in enumerate(row) if module)
    size = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path fill="#000" d="{path}"/></svg>'
    )


def render_png(digits: str, level: Level = Level.SCREEN, *, scale: int = 8) -> bytes:
    """Return a 1-bit PNG with `scale` pixels to a module."""
    rows = matrix(digits, level)
    image = Image.new("1", (len(rows), len(rows)), 1)
    image.putdata([0 if module else 1 for row in rows for module in row])
    buffer = io.BytesIO()
    image.resize((len(rows) * scale,) * 2, Image.Resampling.NEAREST).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
