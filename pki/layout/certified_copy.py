"""The sheets of a certified copy: pages of an original as they are seen, in a file that anybody may sign anew.

Marks of signatures and seals stay as pictures on the page; the signatures themselves stay with the original, since a
signature is over a file and not over what a page shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Final

import pikepdf
from pikepdf import Name

from pki.errors import PdfRefused
from pki.pades.faults import PdfFault

# What of a page does something, or leads out of it: a copy is only looked at.
_ACTS: Final = ("/AA", "/Annots", "/B", "/Metadata", "/PieceInfo", "/StructParents", "/Thumb")


def copy_pages(original: BinaryIO, copy: BinaryIO, pages: Sequence[int] | None = None) -> int:
    """Write the pages (from 1, in that order; None for all) as one unsigned revision; return how many they are.

    Raises PdfRefused: DAMAGED, and MARK_OUTSIDE_PAGE for a page that the original does not have.
    """
    original.seek(0)
    try:
        with pikepdf.open(original) as source, pikepdf.new() as made:
            source.flatten_annotations("print")
            wanted = range(1, len(source.pages) + 1) if pages is None else pages
            if not wanted or not all(1 <= page <= len(source.pages) for page in wanted):
                raise PdfRefused(PdfFault.MARK_OUTSIDE_PAGE)
            for page in wanted:
                made.pages.append(source.pages[page - 1])
            for sheet in made.pages:
                for key in _ACTS:
                    if key in sheet.obj:
                        del sheet.obj[Name(key)]
            made.remove_unreferenced_resources()
            made.save(copy, min_version="1.7", deterministic_id=True)
            return len(made.pages)
    except pikepdf.PdfError as error:
        raise PdfRefused(PdfFault.DAMAGED) from error


def pages_of(text: str, count: int) -> tuple[int, ...] | None:
    """Return the pages that `1, 3-5` names, in order and each once; None if it names none or one beyond `count`."""
    found: set[int] = set()
    for part in text.replace(" ", "").replace("–", "-").replace(";", ",").split(","):
        first, dash, last = part.partition("-")
        ends = (first, last if dash else first)
        if not all(one.isascii() and one.isdigit() and len(one) <= len(str(count)) for one in ends):
            return None
        begins, stops = int(ends[0]), int(ends[1])
        if not 1 <= begins <= stops <= count:
            return None
        found.update(range(begins, stops + 1))
    return tuple(sorted(found))


def written(pages: Sequence[int]) -> str:
    """Return pages as people write them: `1,3-5`."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][-1] + 1:
            runs[-1].append(page)
        else:
            runs.append([page])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
