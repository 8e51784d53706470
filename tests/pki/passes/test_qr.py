"""The picture of a pass: its density, its quiet zone, and the same modules in every form."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from pki.errors import ProfileViolation
from pki.passes import digits, qr
from pki.passes.claims import PassClaims
from pki.passes.qr import Level
from tests.factories.passes import CLAIMS, LONGEST, token

DIGITS = digits.encode(token(CLAIMS))


def version_of(text: str, level: Level) -> int:
    return (len(qr.matrix(text, level)) - 2 * qr.QUIET_ZONE - 17) // 4


@pytest.mark.parametrize("claims", [CLAIMS, LONGEST])
def test_a_pass_is_at_most_version_8_on_screens_and_9_on_paper(claims: PassClaims) -> None:
    written = digits.encode(token(claims))
    assert version_of(written, Level.SCREEN) <= 8
    assert version_of(written, Level.PAPER) <= 9


def test_only_numeric_mode_has_room_for_312_characters_on_paper() -> None:
    assert version_of("7" * 312, Level.PAPER) == 9


def test_a_code_that_would_be_denser_than_version_9_is_not_drawn() -> None:
    with pytest.raises(ProfileViolation, match="version 10"):
        qr.matrix("7" * 313, Level.PAPER)


@pytest.mark.parametrize("text", ["7" * 8000, "79A", "７９", ""])
def test_what_is_not_digits_or_fits_no_symbol_is_not_drawn(text: str) -> None:
    with pytest.raises(ProfileViolation):
        qr.matrix(text, Level.SCREEN)


def test_four_modules_around_the_code_are_white() -> None:
    rows = qr.matrix(DIGITS, Level.SCREEN)
    inside = range(4, len(rows) - 4)
    assert not any(rows[y][x] for y in range(len(rows)) for x in range(len(rows)) if y not in inside or x not in inside)
    assert all(rows[4][x] for x in range(4, 11))


def test_the_png_has_the_modules_of_the_matrix_in_black_on_white() -> None:
    rows = qr.matrix(DIGITS, Level.PAPER)
    image = Image.open(io.BytesIO(qr.render_png(DIGITS, Level.PAPER, scale=3)))
    assert image.mode == "1"
    assert image.size == (3 * len(rows), 3 * len(rows))
    drawn = [[image.getpixel((3 * x + 1, 3 * y + 1)) == 0 for x in range(len(rows))] for y in range(len(rows))]
    assert drawn == rows


def test_the_svg_has_the_modules_of_the_matrix_in_black_on_white() -> None:
    rows = qr.matrix(DIGITS, Level.SCREEN)
    svg = qr.render_svg(DIGITS)
    black = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", svg)}
    assert black == {(x, y) for y, row in enumerate(rows) for x, module in enumerate(row) if module}
    assert f'viewBox="0 0 {len(rows)} {len(rows)}"' in svg
    assert svg.index('fill="#fff"') < svg.index('fill="#000"')


def test_a_picture_holds_nothing_but_the_modules() -> None:
    for word in ("script", "href", "style=", "<text"):
        assert word not in qr.render_svg(DIGITS)
