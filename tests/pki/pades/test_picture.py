"""A picture alone as a mark: at its size in millimetres and upright, measured in two renderers."""

from __future__ import annotations

import subprocess
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array
from PIL import Image, ImageChops

from pki.errors import PdfRefused
from pki.pades.faults import PdfFault
from pki.pades.geometry import page_geometries
from pki.pades.picture import PictureMark
from pki.pades.placement import Corner, place
from pki.pades.prepare import prepare
from tests.factories import pdfs
from tests.factories import pki as factory
from tests.factories.pictures import RED, png

DPI = 150


def corner_piece() -> bytes:
    """Two to one, red, its upper left quarter missing: a turn or a mirror shows."""
    picture = Image.new("RGBA", (400, 200), (*RED, 255))
    picture.paste((*RED, 0), (0, 0, 200, 100))
    return png(picture)


def empty(rotation: int, offset: int, unit: float) -> bytes:
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(500, 700))
        page.obj.MediaBox = Array([0, 0, 500 + 2 * offset, 700 + 2 * offset])
        page.obj.CropBox = Array([offset, offset, offset + 500, offset + 700])
        page.obj.Rotate = rotation
        page.obj.UserUnit = unit
        return pdfs.saved(pdf)


def poppler(pdf: bytes, folder: Path) -> Image.Image:
    (folder / "page.pdf").write_bytes(pdf)
    subprocess.run(
        ["pdftoppm", "-r", str(DPI), "-cropbox", "-singlefile", "-png", "page.pdf", "page"], cwd=folder, check=True
    )
    return Image.open(folder / "page.png").convert("RGB")


def pdfium(pdf: bytes, folder: Path) -> Image.Image:
    with pypdfium2.PdfDocument(pdf) as document:
        document.init_forms()
        return document[0].render(scale=DPI / 72).to_pil().convert("RGB")


def ink_mm(picture: Image.Image, per_mm: float) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of what is red, in millimetres from the upper left."""
    red, green, _ = picture.split()
    box = ImageChops.subtract(red, green).point([255 if one > 90 else 0 for one in range(256)]).getbbox()
    assert box is not None
    return (box[0] / per_mm, box[1] / per_mm, box[2] / per_mm, box[3] / per_mm)


@pytest.mark.parametrize("draw", [poppler, pdfium])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize(("offset", "unit"), [(0, 1.0), (37, 1.0), (0, 2.0)])
def test_a_picture_stands_at_its_place_in_its_size_whatever_the_page(
    draw: object, rotation: int, offset: int, unit: float, tmp_path: Path
) -> None:
    assert callable(draw)
    blank = empty(rotation, offset, unit)
    pages = page_geometries(BytesIO(blank))
    where = place(pages, page=1, corner=Corner.TOP_LEFT, x_mm=30, y_mm=40, width_mm=60, height_mm=40)
    mark = PictureMark(corner_piece(), size_mm=(40.0, 20.0))
    prepared = prepare(BytesIO(blank), certificate_der=b"", now=factory.NOW, mark=mark, placement=where)
    picture = draw(blank + prepared.appended, tmp_path)
    # pdfium leaves UserUnit out of account, poppler takes it in: measured is against the page.
    per_mm = picture.width / pages[0].shown_size_mm[0]
    left, top, right, bottom = ink_mm(picture, per_mm)
    assert (left, top, right, bottom) == pytest.approx((40.0, 50.0, 80.0, 70.0), abs=0.3)
    missing = picture.getpixel((int((left + 5) * per_mm), int((top + 5) * per_mm)))
    there = picture.getpixel((int((right - 5) * per_mm), int((top + 5) * per_mm)))
    assert missing == (255, 255, 255)
    assert isinstance(there, tuple)
    assert there[1] < 90


def test_a_picture_without_a_size_fills_its_field_unstretched(tmp_path: Path) -> None:
    drawn = PictureMark(corner_piece()).render(width=200, height=200)
    picture = poppler(drawn, tmp_path)
    per_point = picture.width / 200
    assert ink_mm(picture, per_point) == pytest.approx((0, 50, 200, 150), abs=1)


def test_what_is_no_png_is_no_mark() -> None:
    with pytest.raises(PdfRefused) as refused:
        PictureMark(b"JPEG").render(width=100, height=50)
    assert refused.value.fault is PdfFault.MARK_UNREADABLE


def test_the_same_picture_gives_the_same_bytes() -> None:
    mark = PictureMark(corner_piece())
    assert mark.render(width=100, height=50) == mark.render(width=100, height=50)
