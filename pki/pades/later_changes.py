"""What may be added to a PDF after a signature: proofs, further signatures, nothing that covers what was signed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import (
    CatalogModificationRule,
    DocInfoRule,
    DSSCompareRule,
    FormUpdatingRule,
    MetadataUpdateRule,
    ModificationLevel,
    ObjectStreamRule,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    XrefStreamRule,
)
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

# pyHanko's own policy without the rule that lets text fields change: it lets a shadow attack through (measured).
POLICY: Final = StandardDiffPolicy(
    global_rules=[
        CatalogModificationRule(),
        DocInfoRule().as_qualified(ModificationLevel.LTA_UPDATES),
        XrefStreamRule().as_qualified(ModificationLevel.LTA_UPDATES),
        ObjectStreamRule().as_qualified(ModificationLevel.LTA_UPDATES),
        DSSCompareRule().as_qualified(ModificationLevel.LTA_UPDATES),
        MetadataUpdateRule().as_qualified(ModificationLevel.LTA_UPDATES),
    ],
    form_rule=FormUpdatingRule(field_rules=[SigFieldCreationRule(), SigFieldModificationRule()]),
)
# A mark of 80 by 40 mm is large; a field that covers more of a page than this is there to hide something.
_LARGEST_SHARE: Final = 0.25
_PAGE_AREA: Final = 595.0 * 842.0

Box = tuple[float, float, float, float]


def is_overlaid(embedded: EmbeddedPdfSignature) -> bool:
    """Say whether a visible field added after this signature hides what was signed.

    One is tolerated if it carries a signature itself, is no larger than a quarter of an A4 page, and lies on no field
    that was there before (a sneaky signature attack draws its picture over the page).
    """
    reader = embedded.reader
    before = list(_visible(reader, embedded.signed_revision))
    known = {name for name, _, _ in before}
    for name, box, is_signed in _visible(reader, None):
        if name in known:
            continue
        area = (box[2] - box[0]) * (box[3] - box[1])
        overlaps = any(_overlap(box, other) for _, other, _ in before)
        if not is_signed or area > _LARGEST_SHARE * _PAGE_AREA or overlaps:
            return True
    return False


def _visible(reader: PdfFileReader, revision: int | None) -> Iterator[tuple[str, Box, bool]]:
    """Yield name, box and whether it is signed, for each field with an area, as of a revision (None: now)."""
    root = reader.root if revision is None else reader.get_historical_root(revision)
    # By subscript: `get` would hand over a reference where something is an object of its own.
    form = root["/AcroForm"] if "/AcroForm" in root else {}
    for entry in form["/Fields"] if "/Fields" in form else ():
        field = entry.get_object() if isinstance(entry, generic.IndirectObject) else entry
        if "/Rect" not in field:
            continue
        x0, y0, x1, y1 = (float(number) for number in field["/Rect"])
        box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        if box[0] < box[2] and box[1] < box[3]:
            yield str(field["/T"]) if "/T" in field else "", box, "/V" in field


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
