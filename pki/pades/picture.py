"""A mark that is a picture alone, at a size in millimetres: a head's handwritten signature, an agency's seal.

Decree 30/2020, Annex I asks for no text beside either.
"""

from __future__ import annotations

from dataclasses import dataclass

import pikepdf
from pikepdf import Dictionary

from pki.pades.appearance import image_object, turn
from pki.pades.drawn import Drawn
from pki.pades.placement import POINTS_PER_MM


@dataclass(frozen=True)
class PictureMark(Drawn):
    """A PNG, in the middle of its field, never stretched."""

    # At most 2 MB; transparent where there is no ink.
    png: bytes
    # Drawn no larger than this, as shown; None fills the field.
    size_mm: tuple[float, float] | None = None

    def compose(self, pdf: pikepdf.Pdf, *, width: float, height: float, rotation: int, user_unit: float) -> None:
        """Draw the picture. See `Drawn`."""
        room = (height, width) if rotation in (90, 270) else (width, height)
        most = room
        if self.size_mm is not None:
            unit = POINTS_PER_MM / user_unit
            most = (min(room[0], self.size_mm[0] * unit), min(room[1], self.size_mm[1] * unit))
        page = pdf.add_blank_page(page_size=(width, height))
        picture = image_object(pdf, self.png)
        scale = min(most[0] / int(picture.Width), most[1] / int(picture.Height))
        size = (int(picture.Width) * scale, int(picture.Height) * scale)
        left, bottom = (room[0] - size[0]) / 2, (room[1] - size[1]) / 2
        drawn = f"q {size[0]:.3f} 0 0 {size[1]:.3f} {left:.3f} {bottom:.3f} cm /Im1 Do Q"
        page.obj.Resources = Dictionary(XObject=Dictionary(Im1=picture))
        page.obj.Contents = pdf.make_stream(f"{turn(rotation, width, height)}\n{drawn}".encode("ascii"))
