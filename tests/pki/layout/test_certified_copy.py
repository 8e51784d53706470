"""The sheets of a certified copy: what is seen stays, what is signed or acts does not come along."""

from __future__ import annotations

from io import BytesIO

import pikepdf
import pypdfium2
import pytest

from pki.errors import PdfRefused
from pki.layout.certified_copy import copy_pages, pages_of, written
from pki.pades.faults import PdfFault
from tests.factories.documents import plain_pdf


def several(count: int) -> bytes:
    """Return a file with as many pages, each with its number, a link and an action."""
    with pikepdf.new() as made:
        for number in range(1, count + 1):
            with pikepdf.open(BytesIO(plain_pdf(f"page {number}"))) as one:
                made.pages.append(one.pages[0])
        for page in made.pages:
            page.obj.AA = pikepdf.Dictionary(O=pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="x"))
        output = BytesIO()
        made.save(output)
        return output.getvalue()


def copied(pdf: bytes, pages: tuple[int, ...] | None = None) -> bytes:
    output = BytesIO()
    copy_pages(BytesIO(pdf), output, pages)
    return output.getvalue()


def texts(pdf: bytes) -> list[str]:
    with pypdfium2.PdfDocument(pdf) as opened:
        return [page.get_textpage().get_text_range().strip() for page in opened]


def test_a_full_copy_has_every_page_and_an_extract_the_chosen_ones_in_order() -> None:
    pdf = several(4)
    assert texts(copied(pdf)) == texts(pdf)
    assert texts(copied(pdf, (2, 4))) == [texts(pdf)[1], texts(pdf)[3]]


def with_field(text: str) -> bytes:
    """Return a page with a filled field that shows its text."""
    with pikepdf.open(BytesIO(plain_pdf("page"))) as opened:
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        shown = opened.make_stream(f"BT /H 12 Tf 4 4 Td ({text}) Tj ET".encode())
        shown.Type, shown.Subtype, shown.BBox = pikepdf.Name.XObject, pikepdf.Name.Form, [0, 0, 120, 20]
        shown.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(H=font))
        field = opened.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Widget,
                FT=pikepdf.Name.Tx,
                T="so",
                V=text,
                F=4,
                Rect=[100, 100, 220, 120],
                AP=pikepdf.Dictionary(N=shown),
            )
        )
        opened.pages[0].obj.Annots = opened.make_indirect(pikepdf.Array([field]))
        opened.Root.AcroForm = pikepdf.Dictionary(Fields=[field])
        output = BytesIO()
        opened.save(output)
        return output.getvalue()


def test_what_a_field_shows_is_ink_on_the_copy_and_the_field_is_gone() -> None:
    made = copied(with_field("so mot"))
    with pikepdf.open(BytesIO(made)) as opened:
        assert "/AcroForm" not in opened.Root
        assert "/Annots" not in opened.pages[0].obj
    assert made.count(b"%%EOF") == 1
    assert "so mot" in texts(made)[0]


def test_nothing_on_a_copy_acts_by_itself() -> None:
    with pikepdf.open(BytesIO(copied(several(2)))) as opened:
        assert all("/AA" not in page.obj for page in opened.pages)
        assert "/OpenAction" not in opened.Root


@pytest.mark.parametrize("pages", [(0,), (5,), ()])
def test_a_page_that_the_original_lacks_is_refused(pages: tuple[int, ...]) -> None:
    with pytest.raises(PdfRefused) as refused:
        copied(several(4), pages)
    assert refused.value.fault is PdfFault.MARK_OUTSIDE_PAGE


def test_what_is_no_pdf_is_refused() -> None:
    with pytest.raises(PdfRefused) as refused:
        copied(b"no")
    assert refused.value.fault is PdfFault.DAMAGED


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("1", (1,)),
        ("1, 3-5", (1, 3, 4, 5)),
        ("5;2–3;2", (2, 3, 5)),
        ("1-9", (1, 2, 3, 4, 5, 6, 7, 8, 9)),
        ("", None),
        ("0", None),
        ("10", None),
        ("4-2", None),
        ("một", None),
        ("1-", None),
        ("1,,2", None),
        ("²", None),
        ("1" * 5000, None),
    ],
)
def test_pages_are_read_as_people_write_them(text: str, pages: tuple[int, ...] | None) -> None:
    assert pages_of(text, 9) == pages


def test_pages_are_written_as_people_write_them() -> None:
    assert written((1, 3, 4, 5, 7, 8)) == "1,3-5,7-8"
    assert written((2,)) == "2"
