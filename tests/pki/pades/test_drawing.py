"""A drawing becomes an appearance object by object, each taken over once."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import pikepdf
from pikepdf import Dictionary

from pki.pades.appearance import image_object
from pki.pades.drawn import Drawn
from pki.pades.placement import Corner, Spot
from pki.pades.prepare import prepare
from tests.factories import pdfs
from tests.factories import pki as factory
from tests.pki.pades.test_picture import corner_piece


@dataclass(frozen=True)
class Twice(Drawn):
    """One picture under two names."""

    def compose(self, pdf: pikepdf.Pdf, *, width: float, height: float, rotation: int, user_unit: float) -> None:
        page = pdf.add_blank_page(page_size=(width, height))
        picture = image_object(pdf, corner_piece())
        page.obj.Resources = Dictionary(XObject=Dictionary(Im1=picture, Im2=picture))
        page.obj.Contents = pdf.make_stream(b"q 20 0 0 20 0 0 cm /Im1 Do Q q 20 0 0 20 30 0 cm /Im2 Do Q")


def test_what_is_shown_twice_is_in_the_file_once() -> None:
    blank = pdfs.plain()
    spot = Spot(1, Corner.TOP_LEFT, 10, 10, 60, 20)
    prepared = prepare(BytesIO(blank), certificate_der=b"", now=factory.NOW, mark=Twice(), placement=spot)
    with pikepdf.open(BytesIO(blank + prepared.appended)) as pdf:
        (widget,) = pdf.pages[0].Annots
        pictures = widget.AP.N.Resources.XObject
        assert pictures.Im1.objgen == pictures.Im2.objgen
        assert pictures.Im1.read_bytes()
