"""Short texts in the blanks of a printed line: the day and the month of “ngày … tháng … năm 2026”."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from io import BytesIO

import pikepdf

from pki.layout.blanks import DateBlank
from pki.pades.drawn import Drawn
from pki.pades.plain_text import PlainText

# Part of the field's width at which a slot begins and ends.
Slot = tuple[float, float]


@dataclass(frozen=True)
class SlotText(Drawn):
    """Texts, each centred in its slot."""

    texts: tuple[str, ...]
    slots: tuple[Slot, ...]
    size_pt: float = 13.0

    def compose(self, pdf: pikepdf.Pdf, *, width: float, height: float, rotation: int, user_unit: float) -> None:
        """Set each text in its slot. See `Drawn`."""
        across = height if rotation in (90, 270) else width
        page = pdf.add_blank_page(page_size=(width, height))
        for text, (begins, ends) in zip(self.texts, self.slots, strict=True):
            length = (ends - begins) * across
            size = (width, length) if rotation in (90, 270) else (length, height)
            drawn = PlainText((text,), size_pt=self.size_pt, centred=True).render(
                width=size[0], height=size[1], rotation=rotation, user_unit=user_unit
            )
            with pikepdf.open(BytesIO(drawn)) as one:
                page.add_overlay(one.pages[0], _at(begins * across, length, width, height, rotation))
        page.contents_coalesce()


def _at(begins: float, length: float, width: float, height: float, rotation: int) -> pikepdf.Rectangle:
    """Return where a slot lies on the unturned page."""
    match rotation:
        case 90:
            return pikepdf.Rectangle(0, begins, width, begins + length)
        case 180:
            return pikepdf.Rectangle(width - begins - length, 0, width - begins, height)
        case 270:
            return pikepdf.Rectangle(0, height - begins - length, width, height - begins)
        case _:
            return pikepdf.Rectangle(begins, 0, begins + length, height)


def date_in(blank: DateBlank, day: date) -> SlotText:
    """Return the day and the month for the blanks; days under ten and the first two months with a nought before them.

    Decree 30/2020, Annex I, II.4.
    """
    left, _, right, _ = blank.box
    width = right - left
    slots = tuple(((begins - left) / width, (ends - left) / width) for begins, ends in (blank.day, blank.month))
    return SlotText((f"{day.day:02}", f"{day.month:02}" if day.month <= 2 else str(day.month)), slots)
