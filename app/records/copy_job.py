"""Making the sheets of a certified copy, in the limited process."""

from __future__ import annotations

from typing import IO, BinaryIO, cast

from app.documents.sandbox_frame import Facts
from pki.layout.certified_copy import copy_pages


def make_sheets(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Write the pages of the original that are wanted."""
    return {"pages": copy_pages(cast(BinaryIO, source), cast(BinaryIO, output), facts["pages"])}
