"""The last word on a checked PDF: whether its pages still look as they did when each signature was made.

Beside `verify`, which asks the objects: what two programs draw differently is never green, whatever the objects say
(signing.md of the house, 6.3, 6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Final

from pyhanko.pdf_utils.reader import PdfFileReader

from pki.errors import PdfRefused
from pki.pades.boundary import refusing
from pki.pades.faults import PdfFault
from pki.pades.later_changes import VisibleField, visible_fields
from pki.pades.page_difference import compare
from pki.pades.report import Box, PageDifference, Reason, Report, Verdict

# Pages that are drawn without asking whether they changed; as many again of those that did.
MOST_PAGES: Final = 60
# A picture of a page is 20 to 60 KB.
MOST_PICTURES: Final = 12
# Revisions that are held against the file as received: the oldest, which must explain all, and the newest ones.
_MOST_REVISIONS: Final = 4


def with_pages_compared(report: Report, pdf: bytes, *, with_pictures: bool = False) -> Report:
    """Return the report with the pages that look otherwise than under its oldest signature, judged.

    A valid file of which a page changed beyond the places of its fields, or cannot be compared, becomes INDETERMINATE;
    a worse verdict stays. Nothing is drawn when no sound signature is followed by anything. Raises nothing.
    """
    ends = sorted({one.covers for one in report.signatures if 0 < one.covers < len(pdf)})
    if not ends:
        return report
    chosen = ends if len(ends) <= _MOST_REVISIONS else [ends[0], *ends[1 - _MOST_REVISIONS :]]
    try:
        found = [_compare(pdf, end, with_pictures=with_pictures and end == ends[0]) for end in chosen]
    except PdfRefused:
        return _at_most(report, Reason.PAGES_NOT_COMPARED)
    shown = replace(report, page_differences=_few_pictures(found[0]))
    if any(one.unexplained for differences in found for one in differences):
        return _at_most(shown, Reason.PAGES_DIFFER)
    return shown


def _at_most(report: Report, reason: Reason) -> Report:
    if report.verdict is not Verdict.VALID:
        return report
    return replace(report, verdict=Verdict.INDETERMINATE, reason=reason)


def _compare(pdf: bytes, end: int, *, with_pictures: bool) -> tuple[PageDifference, ...]:
    signed = pdf[:end]
    return compare(
        BytesIO(signed),
        BytesIO(pdf),
        most_pages=MOST_PAGES,
        foreseen=_foreseen(signed, pdf),
        with_pictures=with_pictures,
    )


def _foreseen(signed: bytes, received: bytes) -> Mapping[int, Sequence[Box]]:
    """Return by page where fields stand that got their value after the signature; whether they might is `verify`'s."""
    with refusing(PdfFault.DAMAGED):
        before = {one.name: one for one in visible_fields(PdfFileReader(BytesIO(signed), strict=False), None)}
        after = visible_fields(PdfFileReader(BytesIO(received), strict=False), None)
    places: dict[int, list[Box]] = defaultdict(list)
    for one in after:
        known: VisibleField = before.get(one.name, one)
        if one.is_signed and not (one.name in before and known.is_signed) and known.page is not None:
            places[known.page].append(known.box)
    return places


def _few_pictures(differences: Sequence[PageDifference]) -> tuple[PageDifference, ...]:
    """Return the differences with the pictures of the first pages alone."""
    return tuple(
        one if number < MOST_PICTURES else replace(one, signed_png=None, received_png=None)
        for number, one in enumerate(differences)
    )
