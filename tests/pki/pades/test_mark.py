"""The visible mark: Vietnamese that is drawn and not only extractable, upright on turned pages, at its place."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageChops
from pyhanko.pdf_utils.reader import PdfFileReader

from pki.errors import PdfRefused
from pki.pades.appearance import Mark, face
from pki.pades.faults import PdfFault
from pki.pades.geometry import page_geometries, page_geometry
from pki.pades.placement import POINTS_PER_MM, Corner, PageGeometry, Placement, check_inside, place
from tests.factories import pdfs

VIETNAMESE = "ĂÂĐÊÔƠƯăâđêôơưẮẰẲẴẶẤẦẨẪẬẾỀỂỄỆỐỒỔỖỘỚỜỞỠỢỨỪỬỮỰÁÀẢÃẠÉÈẺẼẸÍÌỈĨỊÓÒỎÕỌÚÙỦŨỤÝỲỶỸỴ"
A4 = PageGeometry((0.0, 0.0, 595.0, 842.0), 0, 1.0)


def pictured(pdf: bytes, folder: Path, *, resolution: int = 100) -> Image.Image:
    """Return the first page as poppler draws it."""
    (folder / "page.pdf").write_bytes(pdf)
    subprocess.run(
        ["pdftoppm", "-r", str(resolution), "-singlefile", "-png", "page.pdf", "page"], cwd=folder, check=True
    )
    return Image.open(folder / "page.png").convert("RGB")


def ink(picture: Image.Image) -> tuple[int, int, int, int] | None:
    """Return the box around everything that is not white."""
    return ImageChops.difference(picture, Image.new("RGB", picture.size, "white")).getbbox()


@pytest.mark.parametrize("style", ["Regular", "Bold"])
def test_the_font_has_every_vietnamese_letter_and_1000_units(style: str) -> None:
    known = face(style).glyphs
    assert not [letter for letter in VIETNAMESE + VIETNAMESE.lower() if ord(letter) not in known]
    assert 600 < face(style).width("M", 1000) < 1000


def test_every_vietnamese_letter_is_drawn_and_not_only_extractable(tmp_path: Path) -> None:
    for letter in "ỆữỰẶỡĐơ":
        alone = pictured(Mark(("", letter)).render(width=60, height=40), tmp_path)
        empty = pictured(Mark(("", " ")).render(width=60, height=40), tmp_path)
        assert ink(ImageChops.difference(alone, empty).point(lambda value: 255 - value)) is not None, letter


def test_text_in_the_mark_can_be_copied(tmp_path: Path) -> None:
    (tmp_path / "mark.pdf").write_bytes(pdfs.MARK.render(width=190, height=60))
    done = subprocess.run(["pdftotext", "mark.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:4] == list(pdfs.MARK.lines)


def test_letters_in_pieces_are_put_together() -> None:
    pieces = Mark(("Nguye\u0302\u0303n",)).render(width=100, height=30)
    assert pieces == Mark(("Nguyễn",)).render(width=100, height=30)


def test_the_page_has_exactly_the_size_asked_for() -> None:
    with pikepdf.open(BytesIO(pdfs.MARK.render(width=187.5, height=62.25))) as pdf:
        assert [float(side) for side in pdf.pages[0].mediabox.as_list()] == [0, 0, 187.5, 62.25]


def test_text_stays_inside_the_frame(tmp_path: Path) -> None:
    long = Mark(("Ký bởi", "Nguyễn Phúc Ánh Tuyết Hồng Ngọc Minh Châu", "Uỷ ban nhân dân quận Bắc Từ Liêm"))
    picture = pictured(long.render(width=150, height=50), tmp_path, resolution=200)
    width, height = picture.size
    inner = picture.crop((4, 4, width - 4, height - 4))
    box = ink(inner)
    assert box is not None
    assert box[0] > 2
    assert box[2] < inner.width - 2


@pytest.mark.parametrize(
    "mark",
    [
        Mark(("漢",)),
        Mark(("line",) * 9),
        Mark(("x" * 121,)),
        Mark(("tab\t",)),
        Mark(("much text " * 11,)),
        Mark(("a",), image=b"no picture"),
        Mark(("a",), image=bytes(2 * 1024 * 1024 + 1)),
    ],
    ids=["glyph", "lines", "long", "control", "small", "image", "large image"],
)
def test_what_cannot_be_drawn_readably_is_refused(mark: Mark) -> None:
    with pytest.raises(PdfRefused) as caught:
        mark.render(width=60, height=30)
    assert caught.value.fault is PdfFault.MARK_UNREADABLE


def png(width: int, height: int, colour: tuple[int, int, int, int] = (179, 38, 30, 255)) -> bytes:
    output = BytesIO()
    Image.new("RGBA", (width, height), colour).save(output, "PNG")
    return output.getvalue()


def test_a_picture_with_too_many_points_is_refused() -> None:
    with pytest.raises(PdfRefused):
        Mark(("a",), image=png(2001, 2000)).render(width=60, height=30)


def test_a_picture_stands_to_the_left_of_the_text_and_keeps_its_shape(tmp_path: Path) -> None:
    picture = pictured(Mark(("a", "b"), image=png(20, 20)).render(width=200, height=60), tmp_path, resolution=72)
    red = [
        (x, y) for x in range(picture.width) for y in range(picture.height) if picture.getpixel((x, y)) == (179, 38, 30)
    ]
    across, upwards = max(x for x, _ in red) - min(x for x, _ in red), max(y for _, y in red) - min(y for _, y in red)
    assert abs(across - upwards) <= 1
    assert max(x for x, _ in red) < 80


def test_a_clear_picture_shows_what_is_below_it(tmp_path: Path) -> None:
    clear = pictured(Mark(("a",), image=png(20, 20, (0, 0, 0, 0))).render(width=200, height=60), tmp_path)
    assert clear.getpixel((20, 40)) == (255, 255, 255)


def test_a_mark_without_text_is_an_empty_frame() -> None:
    assert Mark(()).render(width=60, height=30).startswith(b"%PDF")


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("corner", list(Corner))
def test_a_mark_is_shown_at_its_corner_and_upright_on_turned_pages(
    tmp_path: Path, rotation: int, corner: Corner
) -> None:
    page = pdfs.plain(rotation=rotation, box=(100, 50, 495, 642))
    pages = page_geometries(page)
    placement = place(pages, page=1, corner=corner, x_mm=10, y_mm=15, width_mm=60, height_mm=20)
    signed = pdfs.signed(page, mark=pdfs.MARK, placement=placement)
    before, after = pictured(page, tmp_path, resolution=127), pictured(signed, tmp_path, resolution=127)
    box = ink(ImageChops.difference(before, after).point(lambda value: 255 - value))
    assert box is not None
    # 127 dots an inch are 5 dots a millimetre.
    width, height = after.size
    left = width - 350 if corner in (Corner.TOP_RIGHT, Corner.BOTTOM_RIGHT) else 50
    top = 75 if corner in (Corner.TOP_LEFT, Corner.TOP_RIGHT) else height - 175
    assert all(abs(found - wanted) <= 3 for found, wanted in zip(box, (left, top, left + 300, top + 100), strict=True))
    turned = pictured(pdfs.MARK.render(width=60 * POINTS_PER_MM, height=20 * POINTS_PER_MM), tmp_path, resolution=127)
    shown = after.crop((left, top, left + 300, top + 100))
    difference = ImageChops.difference(shown, turned.resize(shown.size)).convert("L")
    assert sum(difference.get_flattened_data()) / (300 * 100) < 20


def test_units_of_half_a_point_give_a_mark_of_the_same_size_on_paper() -> None:
    large = replace(A4, user_unit=2.0)
    left, bottom, right, top = place(
        (large,), page=1, corner=Corner.BOTTOM_LEFT, x_mm=10, y_mm=10, width_mm=50, height_mm=20
    ).rectangle
    assert ((right - left) * 2 / POINTS_PER_MM, (top - bottom) * 2 / POINTS_PER_MM) == pytest.approx((50, 20))
    assert large.shown_size_mm == pytest.approx((595 * 2 / POINTS_PER_MM, 842 * 2 / POINTS_PER_MM))


@pytest.mark.parametrize(("page", "x_mm"), [(0, 0), (2, 0), (1, 200)])
def test_a_place_that_is_not_on_a_page_is_refused(page: int, x_mm: float) -> None:
    with pytest.raises(PdfRefused) as caught:
        place((A4,), page=page, corner=Corner.TOP_LEFT, x_mm=x_mm, y_mm=0, width_mm=50, height_mm=20)
    assert caught.value.fault is PdfFault.MARK_OUTSIDE_PAGE


@pytest.mark.parametrize("rectangle", [(0.0, 0.0, 0.5, 50.0), (10.0, 10.0, 5.0, 50.0), (-1.0, 0.0, 50.0, 50.0)])
def test_a_mark_without_a_size_or_over_the_edge_is_refused(rectangle: tuple[float, float, float, float]) -> None:
    with pytest.raises(PdfRefused):
        check_inside((A4,), Placement(1, rectangle))


def test_a_mark_on_a_page_that_is_not_there_is_refused() -> None:
    with pytest.raises(PdfRefused):
        check_inside((A4,), Placement(2, (10.0, 10.0, 50.0, 50.0)))


def _opened(change: Callable[[pikepdf.Pdf], None]) -> PdfFileReader:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        change(pdf)
        return PdfFileReader(BytesIO(pdfs.saved(pdf)))


def test_both_ways_of_measuring_a_page_agree() -> None:
    def change(pdf: pikepdf.Pdf) -> None:
        page = pdf.pages[0].obj
        del page.MediaBox
        pdf.Root.Pages.MediaBox = Array([700, 800, 50, 20])
        pdf.Root.Pages.Rotate = 450
        page.CropBox = Array([60, 30, 690, 900])
        page.UserUnit = 2

    reader = _opened(change)
    assert page_geometry(reader, 1) == PageGeometry((60, 30, 690, 800), 90, 2.0)
    assert page_geometries(reader.stream) == (page_geometry(reader, 1),)


def test_a_page_without_a_size_or_below_itself_is_damage() -> None:
    def without_size(pdf: pikepdf.Pdf) -> None:
        del pdf.pages[0].obj.MediaBox

    def below_itself(pdf: pikepdf.Pdf) -> None:
        without_size(pdf)
        pdf.Root.Pages.Parent = pdf.Root.Pages

    for change in (without_size, below_itself):
        with pytest.raises(PdfRefused) as caught:
            page_geometry(_opened(change), 1)
        assert caught.value.fault is PdfFault.DAMAGED


def test_the_visible_box_is_the_crop_box_inside_the_media_box() -> None:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        pdf.pages[0].obj.CropBox = Array([500, 800, 100, -20])
        (cropped,) = page_geometries(pdfs.saved(pdf))
        pdf.pages[0].obj.CropBox = Array([700, 900, 800, 1000])
        (outside,) = page_geometries(pdfs.saved(pdf))
    assert cropped.box == (100, 0, 500, 800)
    assert outside.box == (0, 0, 595, 842)


def test_turn_is_inherited_from_the_tree() -> None:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        pdf.Root.Pages.Rotate = -90
        assert page_geometries(pdfs.saved(pdf))[0].rotation == 270


def test_turn_is_inherited_through_a_deep_tree() -> None:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        page = pdf.pages[0].obj
        node = pdf.Root.Pages
        node.Rotate = 90
        for _ in range(70):
            below = pdf.make_indirect(Dictionary(Type=Name.Pages, Count=1, Parent=node, Kids=Array([page])))
            node.Kids = Array([below])
            node = below
        page.Parent = node
        assert page_geometries(pdfs.saved(pdf))[0].rotation == 90
