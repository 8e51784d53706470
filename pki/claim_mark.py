"""A document's QR code on paper: the address of its public page and the signed claim, as a one-page PDF of squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pikepdf

from pki.errors import ProfileViolation
from pki.pades.drawn import Drawn
from pki.passes import qr

MM_PER_POINT: Final = 25.4 / 72
# Under this a phone fails on an office printer's page (docs/adr/0010); what we ask for by ourselves is a little more.
SMALLEST_MODULE_MM: Final = 0.33
USUAL_MODULE_MM: Final = 0.38


def page_address(web_url: str) -> str:
    """Return the address of the public page as the code holds it: in upper case where that names the same page.

    Scheme and host have no case (RFC 3986, 6.2.2.1) and the page is `/D`; an address with a folder keeps its letters.
    """
    address = f"{web_url.rstrip('/')}/D"
    host_only = address.count("/") == 3
    return address.upper() if host_only else address


@dataclass(frozen=True)
class QrMark(Drawn):
    """The code of one document; drawn like the other marks."""

    # Of the public page, without the fragment.
    address: str
    # What `pki.document_claim.sign` returned; behind `#`, so that no server ever sees it unasked.
    digits: str

    @property
    def side_mm(self) -> float:
        """The side that the code should have on paper, its quiet zone included."""
        return len(qr.link_matrix(self.address, self.digits)) * USUAL_MODULE_MM

    def compose(self, pdf: pikepdf.Pdf, *, width: float, height: float, rotation: int, user_unit: float) -> None:
        """Draw the largest square in the middle of the page. See `Drawn`.

        Raises ProfileViolation if a module would be under 0.33 mm or the code does not fit any symbol that is read.
        """
        rows = _turned(qr.link_matrix(self.address, self.digits), rotation)
        side = min(width, height)
        module = side / len(rows)
        if module * user_unit * MM_PER_POINT < SMALLEST_MODULE_MM:
            raise ProfileViolation("the code would be too small to be read")
        left, bottom = (width - side) / 2, (height - side) / 2
        scale = f"{module:.5f} 0 0 {module:.5f} {left:.4f} {bottom:.4f} cm"
        drawn = ["q", scale, "1 g", f"0 0 {len(rows)} {len(rows)} re f", "0 g", *_squares(rows), "f", "Q"]
        page = pdf.add_blank_page(page_size=(width, height))
        page.obj.Contents = pdf.make_stream("\n".join(drawn).encode("ascii"))


def _squares(rows: list[list[bool]]) -> list[str]:
    """Return a rectangle for each run of black modules, from the top; one path leaves no hairlines between them."""
    drawn = []
    for down, row in enumerate(rows):
        start = None
        for across, black in enumerate([*row, False]):
            if black and start is None:
                start = across
            elif not black and start is not None:
                drawn.append(f"{start} {len(rows) - 1 - down} {across - start} 1 re")
                start = None
    return drawn


def _turned(rows: list[list[bool]], rotation: int) -> list[list[bool]]:
    # The page is turned clockwise when it is shown, so the code is turned the other way.
    for _ in range(rotation // 90):
        rows = [list(column) for column in zip(*rows, strict=True)][::-1]
    return rows
