"""Cleaning a picture, in the limited process."""

from __future__ import annotations

from typing import IO

from app.documents.sandbox_frame import Facts
from pki.errors import PictureRefused
from pki.layout.cleaning import LARGEST_FILE, PictureKind, clean


def clean_picture(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Write the cleaned picture and then the reduced original; or say which rule the picture breaks."""
    try:
        made = clean(source.read(LARGEST_FILE + 1), PictureKind(facts["kind"]), diameter_mm=facts["diameter_mm"])
    except PictureRefused as error:
        return {"fault": error.fault}
    output.write(made.png)
    output.write(made.before_png)
    return {
        "fault": None,
        "octets": len(made.png),
        "width_mm": made.width_mm,
        "height_mm": made.height_mm,
        "dpi": made.dpi,
        "coloured": made.coloured,
        "paper_removed": made.paper_removed,
    }
