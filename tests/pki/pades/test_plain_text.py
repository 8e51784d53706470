"""Text in the head of a document: readable, upright on turned pages, and refused where nobody could read it."""

from __future__ import annotations

from io import BytesIO

import pypdfium2
import pytest

from pki.errors import PdfRefused
from pki.pades.faults import PdfFault
from pki.pades.plain_text import Ink, PlainText


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(BytesIO(pdf)) as opened:
        return opened[0].get_textpage().get_text_range().replace("\r\n", "\n")


def inked(pdf: bytes) -> tuple[float, float, float, float]:
    """Return where the page is not white, as parts of its width and height: left, top, right, bottom."""
    with pypdfium2.PdfDocument(BytesIO(pdf)) as opened:
        picture = opened[0].render(scale=4).to_pil().convert("L").point(lambda grey: 255 if grey < 128 else 0)
    box = picture.getbbox()
    assert box is not None
    return box[0] / picture.width, box[1] / picture.height, box[2] / picture.width, box[3] / picture.height


def test_a_number_is_read_back_letter_by_letter() -> None:
    assert text_of(PlainText(("05/QĐ-SKHCN",)).render(width=150, height=20)) == "05/QĐ-SKHCN"


def test_decomposed_letters_are_drawn_as_whole_ones() -> None:
    assert text_of(PlainText(("Va\u0306n thư",), bold=True).render(width=150, height=20)) == "Văn thư"


def test_lines_stand_in_the_middle_of_the_height() -> None:
    left, top, right, bottom = inked(PlainText(("Sở", "Bộ"), centred=True, ink=Ink.RED).render(width=100, height=100))
    assert (left + right) / 2 == pytest.approx(0.5, abs=0.02)
    assert (top + bottom) / 2 == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(("rotation", "edge"), [(0, 0), (90, 3), (180, 2), (270, 1)])
def test_on_a_turned_page_the_text_begins_at_the_edge_that_the_reader_sees_left(rotation: int, edge: int) -> None:
    size = {"width": 200.0, "height": 40.0} if rotation in (0, 180) else {"width": 40.0, "height": 200.0}
    found = inked(PlainText(("Số 1",)).render(rotation=rotation, **size))
    from_edge = found[edge] if edge < 2 else 1 - found[edge]
    assert from_edge < 0.02


def test_text_that_is_too_long_becomes_smaller_until_nobody_could_read_it() -> None:
    assert text_of(PlainText(("một dòng khá dài cho ô này",)).render(width=90, height=20))
    with pytest.raises(PdfRefused) as refused:
        PlainText(("một dòng quá dài cho ô này " * 3,)).render(width=90, height=20)
    assert refused.value.fault is PdfFault.MARK_UNREADABLE


def test_a_letter_that_the_font_lacks_is_refused() -> None:
    with pytest.raises(PdfRefused):
        PlainText(("số 文",)).render(width=90, height=20)


def test_an_empty_line_leaves_the_page_white() -> None:
    assert text_of(PlainText(("",)).render(width=90, height=20)) == ""
