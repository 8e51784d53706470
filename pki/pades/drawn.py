"""What can be drawn onto a field: a page of exact size that becomes its appearance (ISO 32000-1, 12.5.5)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from io import BytesIO

import pikepdf


class Drawn(ABC):
    """Something that can be drawn onto a field."""

    @abstractmethod
    def compose(self, pdf: pikepdf.Pdf, *, width: float, height: float, rotation: int, user_unit: float) -> None:
        """Add one page to `pdf`, `width` by `height` in user space units, with /Resources and /Contents of its own.

        With `rotation` (0, 90, 180, 270: the turn of the page it will stand on) it is drawn turned against it, so that
        a reader sees it upright. Raises PdfRefused(MARK_UNREADABLE): a character that the font lacks, too much for the
        size, a picture that is not a PNG.
        """

    def render(self, *, width: float, height: float, rotation: int = 0, user_unit: float = 1.0) -> bytes:
        """Return `compose` as a PDF; the same thing gives the same bytes."""
        output = BytesIO()
        with pikepdf.new() as pdf:
            self.compose(pdf, width=width, height=height, rotation=rotation, user_unit=user_unit)
            pdf.save(output, deterministic_id=True)
        return output.getvalue()
