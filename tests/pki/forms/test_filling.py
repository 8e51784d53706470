"""Filling a form in: values that other programs read, drawings that they show, and nothing left open."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Name

from app.demo import extract_form
from pki.errors import PdfRefused
from pki.forms import fields
from pki.forms.filling import TICKED, Filled, fill
from tests.factories.claims import picture
from tests.factories.form_pdfs import form, text_field

ANSWERS = {
    "ho_ten": "Nguyễn Thị Lan",
    "noi_cu_tru": "12 đường Hoàng Hoa Thám, phường Bến Đỏ",
    "nguoi_co_ten": "Trần Văn Ưởng",
    "quan_he": "cha_me",
    "loai": "khai_sinh",
    "so_ban": "2",
    "ly_do": "Nhập học cho con.\nXin nhận trước ngày 30/11.",
    "cam_doan": TICKED,
}


def filled(pdf: bytes, values: dict[str, str]) -> tuple[Filled, bytes]:
    clean, output = BytesIO(), BytesIO()
    described = fields.take_in(BytesIO(pdf), clean)
    clean.seek(0)
    result = fill(clean, output, {one.name: one for one in described.fields}, values)
    return result, output.getvalue()


def values_in(pdf: bytes) -> dict[str, str]:
    with pikepdf.open(BytesIO(pdf)) as opened:
        return {str(one.T): str(one.get("/V", "")) for one in opened.Root.AcroForm.Fields}


def test_each_value_is_stored_and_every_field_closed() -> None:
    result, pdf = filled(extract_form.make(), ANSWERS)
    assert result == Filled((), ())
    assert values_in(pdf) == {**ANSWERS, "loai": "/khai_sinh", "cam_doan": "/co"}
    with pikepdf.open(BytesIO(pdf)) as opened:
        assert all(int(one.Ff) & 1 for one in opened.Root.AcroForm.Fields)
        assert "/NeedAppearances" not in opened.Root.AcroForm


def test_poppler_reads_the_answers_where_they_stand_and_qpdf_finds_nothing_wrong(tmp_path: Path) -> None:
    _, pdf = filled(extract_form.make(), ANSWERS)
    path = tmp_path / "don.pdf"
    path.write_bytes(pdf)
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True, text=True).stdout
    for name, value in ANSWERS.items():
        shown = {"quan_he": "Cha hoặc mẹ", "loai": "", "cam_doan": ""}.get(name, value)
        for line in shown.splitlines():
            assert line in text, name
    assert re.search(r"Họ và tên:\s+Nguyễn Thị Lan", text)
    assert subprocess.run(["qpdf", "--check", path], capture_output=True, check=False).returncode == 0
    fonts = subprocess.run(["pdffonts", path], capture_output=True, check=True, text=True).stdout
    # Every font that is used is embedded.
    assert all(line.split()[-5] == "yes" for line in fonts.splitlines()[2:]), fonts


def dark(pdf: bytes, box: tuple[float, float, float, float]) -> int:
    """How many dark points a box of the page has (points from top left)."""
    return sum(1 for value in picture(pdf, dpi=144).crop(tuple(int(2 * one) for one in box)).tobytes() if value < 100)


def test_a_ticked_box_and_a_chosen_button_are_drawn_and_the_others_are_not() -> None:
    _, pdf = filled(extract_form.make(), ANSWERS)
    _, empty = filled(extract_form.make(), {})
    # Below the edges of three buttons 24 points apart, and the box of the promise.
    first, second = (238, 327, 246, 335), (238, 351, 246, 359)
    promise = (88, 515, 97, 524)
    assert dark(empty, first) == dark(empty, promise) == 0
    assert dark(pdf, first) > 50
    assert dark(pdf, second) == 0
    assert dark(pdf, promise) > 20


def test_what_is_left_empty_shows_nothing_and_holds_nothing() -> None:
    result, pdf = filled(extract_form.make(), {})
    assert result == Filled((), ())
    assert set(values_in(pdf).values()) == {"", "/Off"}


def test_a_long_answer_is_set_smaller_and_a_longer_one_is_refused() -> None:
    fits = "Số 12, đường Hoàng Hoa Thám, phường Bến Đỏ, thành phố Sông Biếc, Việt Nam"
    assert filled(extract_form.make(), {"noi_cu_tru": fits})[0] == Filled((), ())
    assert filled(extract_form.make(), {"noi_cu_tru": fits * 3})[0] == Filled(("noi_cu_tru",), ())
    assert filled(extract_form.make(), {"ly_do": "một hai ba " * 30})[0] == Filled((), ())
    assert filled(extract_form.make(), {"ly_do": "một hai ba " * 120})[0] == Filled(("ly_do",), ())
    assert filled(extract_form.make(), {"ly_do": "x" * 200})[0] == Filled(("ly_do",), ())


def test_a_character_that_the_font_lacks_is_refused_and_nothing_is_written() -> None:
    result, pdf = filled(extract_form.make(), {"ho_ten": "Lan \N{GRINNING FACE}", "so_ban": "1"})
    assert (result, pdf) == (Filled((), ("ho_ten",)), b"")


def test_letters_in_parts_and_odd_spaces_are_put_in_order() -> None:
    _, pdf = filled(extract_form.make(), {"ho_ten": " Nguye\u0302\u0303n \t Lan ", "ly_do": "a\r\nb\rc"})
    assert values_in(pdf)["ho_ten"] == "Nguyễn Lan"
    assert values_in(pdf)["ly_do"] == "a\nb\nc"


@pytest.mark.parametrize("asked", ["/Helv 9 Tf 0 g", "/Helv 0 Tf 0 g", "0 g", "", "/Helv x Tf", "Tf"])
def test_a_form_asks_for_a_size_or_leaves_it_to_us(asked: str) -> None:
    def make(pdf: pikepdf.Pdf) -> Any:
        return text_field(pdf, DA=pikepdf.String(asked))

    _, pdf = filled(form(make), {"ten": "Lan"})
    with pikepdf.open(BytesIO(pdf)) as opened:
        drawn = opened.Root.AcroForm.Fields[0].AP.N.read_bytes()
    assert (b"/F1 9.00 Tf" in drawn) is (asked == "/Helv 9 Tf 0 g")


def test_a_field_that_stands_at_two_places_is_drawn_at_both() -> None:
    def make(pdf: pikepdf.Pdf) -> Any:
        parent = pdf.make_indirect(pikepdf.Dictionary(T=pikepdf.String("ten"), FT=Name.Tx, Kids=Array()))
        for bottom in (700, 600):
            kid = text_field(pdf, Rect=Array([100, bottom, 300, bottom + 20]), Parent=parent)
            del kid["/T"], kid["/FT"]
            parent.Kids.append(kid)
        return parent

    result, pdf = filled(form(make), {"ten": "Lan"})
    assert result == Filled((), ())
    assert dark(pdf, (100, 122, 300, 142)) == dark(pdf, (100, 222, 300, 242)) > 20


def test_a_file_that_is_no_form_any_more_is_damaged() -> None:
    with pytest.raises(PdfRefused):
        fill(BytesIO(b"%PDF-1.7 x"), BytesIO(), {}, {})


def test_what_the_form_does_not_ask_is_not_put_in() -> None:
    make: Callable[[pikepdf.Pdf], Any] = text_field
    _, pdf = filled(form(make), {"ten": "Lan", "khac": "x"})
    assert values_in(pdf) == {"ten": "Lan"}
