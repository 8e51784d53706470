"""The code of a document on paper: its density, its size, its place on a turned page."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pikepdf
import pytest

from pki.claim_mark import MM_PER_POINT, USUAL_MODULE_MM, QrMark, page_address
from pki.errors import ProfileViolation
from pki.passes import qr
from tests.factories.claims import ADDRESS, CLAIM, code, mark, picture


def version_of(shown: QrMark) -> int:
    return (len(qr.link_matrix(shown.address, shown.digits)) - 2 * qr.QUIET_ZONE - 17) // 4


def points(millimetres: float) -> float:
    return millimetres / MM_PER_POINT


def drawn(shown: QrMark, *, width: float, height: float, **how: float) -> list[list[bool]]:
    """The modules of the rendered page, read from its pixels at 8 to a module."""
    rows = len(qr.link_matrix(shown.address, shown.digits))
    pdf = shown.render(width=width, height=height, **how)
    image = picture(pdf, dpi=round(72 * 8 * rows / min(width, height)))
    left, top = (image.width - 8 * rows) // 2, (image.height - 8 * rows) // 2
    return [[image.getpixel((left + 8 * x + 4, top + 8 * y + 4)) < 128 for x in range(rows)] for y in range(rows)]


def test_the_usual_code_is_of_version_9_and_the_longest_number_of_version_10() -> None:
    assert version_of(mark()) == 9
    assert version_of(mark(replace(CLAIM, number="0" * 48))) == 10


def test_a_code_that_would_be_denser_than_version_10_is_not_drawn() -> None:
    long = QrMark(f"HTTPS://{'A' * 80}.VN/D", code())
    with pytest.raises(ProfileViolation, match="version 1"):
        long.render(width=80, height=80)


@pytest.mark.parametrize(
    ("web_url", "address"),
    [
        ("https://kyvao.songbiec.gov.vn", "HTTPS://KYVAO.SONGBIEC.GOV.VN/D"),
        ("http://127.0.0.1:8080/", "HTTP://127.0.0.1:8080/D"),
        ("https://songbiec.gov.vn/kyVao", "https://songbiec.gov.vn/kyVao/D"),
    ],
)
def test_the_address_is_in_upper_case_where_that_names_the_same_page(web_url: str, address: str) -> None:
    assert page_address(web_url) == address


def test_an_address_in_small_letters_still_fits() -> None:
    assert version_of(QrMark("https://songbiec.gov.vn/kyVao/D", code())) == 10


@pytest.mark.parametrize("address", ["https://sông.vn/D", ""])
def test_an_address_that_no_code_takes_is_refused(address: str) -> None:
    with pytest.raises(ProfileViolation):
        qr.link_matrix(address, "x")


def test_at_its_own_side_each_module_is_wide_enough() -> None:
    shown = mark()
    assert shown.side_mm == pytest.approx(61 * USUAL_MODULE_MM)
    side = points(shown.side_mm)
    with pikepdf.open(BytesIO(shown.render(width=side, height=side))) as pdf:
        assert len(pdf.pages) == 1
        assert [float(one) for one in pdf.pages[0].mediabox] == pytest.approx([0, 0, side, side], abs=0.01)


def test_the_page_shows_exactly_the_modules_with_their_white_border() -> None:
    shown = mark()
    assert drawn(shown, width=70, height=70) == qr.link_matrix(shown.address, shown.digits)


def test_in_a_wider_place_the_square_stands_in_the_middle() -> None:
    shown = mark()
    assert drawn(shown, width=120, height=70) == qr.link_matrix(shown.address, shown.digits)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_on_a_turned_page_the_reader_sees_it_upright(rotation: int) -> None:
    shown = mark()
    rows = len(qr.link_matrix(shown.address, shown.digits))
    image = picture(shown.render(width=70, height=70, rotation=rotation), dpi=round(72 * 8 * rows / 70), turn=rotation)
    seen = [[image.getpixel((8 * x + 4, 8 * y + 4)) < 128 for x in range(rows)] for y in range(rows)]
    assert seen == qr.link_matrix(shown.address, shown.digits)


def test_a_code_too_small_for_a_phone_is_not_drawn() -> None:
    shown = mark()
    smallest = points(61 * 0.33)
    assert shown.render(width=smallest + 0.1, height=smallest + 0.1)
    with pytest.raises(ProfileViolation, match="too small"):
        shown.render(width=smallest - 0.1, height=200)
    # A unit of that page is two points.
    assert shown.render(width=smallest / 2 + 0.1, height=smallest / 2 + 0.1, user_unit=2.0)


def test_the_same_code_gives_the_same_bytes() -> None:
    shown = QrMark(ADDRESS, code())
    assert shown.render(width=70, height=70) == shown.render(width=70, height=70)
