"""What may be added to a PDF after a signature: proofs, further signatures, nothing that covers what was signed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import (
    DEFAULT_DIFF_POLICY,
    CatalogModificationRule,
    DiffResult,
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

from pki.pades.issue_rule import IssueFieldRule
from pki.pades.overlap import covers_content
from pki.pades.placement import Rectangle

# pyHanko's own policy without the rule that lets text fields change: it lets a shadow attack through (measured).
# Ours lets what comes at issue be filled in, nothing else.
POLICY: Final = StandardDiffPolicy(
    global_rules=[
        CatalogModificationRule(),
        DocInfoRule().as_qualified(ModificationLevel.LTA_UPDATES),
        XrefStreamRule().as_qualified(ModificationLevel.LTA_UPDATES),
        ObjectStreamRule().as_qualified(ModificationLevel.LTA_UPDATES),
        DSSCompareRule().as_qualified(ModificationLevel.LTA_UPDATES),
        MetadataUpdateRule().as_qualified(ModificationLevel.LTA_UPDATES),
    ],
    form_rule=FormUpdatingRule(field_rules=[SigFieldCreationRule(), SigFieldModificationRule(), IssueFieldRule()]),
)
_DEEPEST: Final = 32


@dataclass(frozen=True)
class VisibleField:
    """A field with an area; `page` is counted from 1, None where the file does not say."""

    name: str
    page: int | None
    box: Rectangle
    is_signed: bool


def is_overlaid(embedded: EmbeddedPdfSignature, signed_pdf: bytes) -> bool:
    """Say whether a visible field added after this signature hides what was signed, the bytes `signed_pdf`.

    One is tolerated if it carries a signature itself, stands on a page, and covers neither text nor a field that was
    there before nor much of the page (a sneaky signature attack draws its picture over the page).
    """
    before = visible_fields(embedded.reader, embedded.signed_revision)
    known = {one.name for one in before}
    for new in visible_fields(embedded.reader, None):
        if new.name in known:
            continue
        if not new.is_signed or new.page is None:
            return True
        others = [one.box for one in before if one.page in (new.page, None)]
        if covers_content(signed_pdf, new.page, new.box, others=others):
            return True
    return False


def is_form_filled(embedded: EmbeddedPdfSignature) -> bool:
    """Say whether nothing was changed after this signature but the values of fields that it left open.

    By pyHanko's own policy, which lets a field be drawn over the page too: such a file is at most in doubt.
    """
    found = embedded.evaluate_modifications(DEFAULT_DIFF_POLICY)
    level = found.modification_level if isinstance(found, DiffResult) else ModificationLevel.OTHER
    most = embedded.docmdp_level
    return level is ModificationLevel.FORM_FILLING and (most is None or level.value <= most.value)


def visible_fields(reader: PdfFileReader, revision: int | None) -> list[VisibleField]:
    """Return each field with an area, as of a revision (None: now), with its full name."""
    pages = _page_numbers(reader)
    root = reader.root if revision is None else reader.get_historical_root(revision)
    # By subscript: `get` would hand over a reference where something is an object of its own.
    form = root["/AcroForm"] if "/AcroForm" in root else {}
    entries = form["/Fields"] if "/Fields" in form else ()
    found = []
    for name, widget, is_signed in _widgets(entries, parent="", is_signed=False, depth=0):
        box = _box(widget)
        if box is not None:
            found.append(VisibleField(name, _page_of(widget, pages), box, is_signed))
    return found


def _widgets(
    entries: Iterable[generic.PdfObject], *, parent: str, is_signed: bool, depth: int
) -> Iterator[tuple[str, generic.DictionaryObject, bool]]:
    """Yield name, widget and whether there is a value, for every widget of a tree of fields."""
    if depth > _DEEPEST:
        raise PdfReadError("a tree of fields without end")
    for entry in entries:
        field = entry.get_object()
        # A widget without a name of its own belongs to the field above it.
        name = f"{parent}.{field['/T']}".removeprefix(".") if "/T" in field else parent
        signed = is_signed or "/V" in field
        if "/Rect" in field:
            yield name, field, signed
        if "/Kids" in field:
            yield from _widgets(field["/Kids"], parent=name, is_signed=signed, depth=depth + 1)


def _box(widget: generic.DictionaryObject) -> Rectangle | None:
    x0, y0, x1, y1 = (float(number) for number in widget["/Rect"])
    box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    return box if box[0] < box[2] and box[1] < box[3] else None


def _page_of(widget: generic.DictionaryObject, pages: dict[tuple[int, int], int]) -> int | None:
    if "/P" not in widget:
        return None
    page = widget.raw_get("/P")
    return pages.get((page.idnum, page.generation)) if isinstance(page, generic.IndirectObject) else None


def _page_numbers(reader: PdfFileReader) -> dict[tuple[int, int], int]:
    references = [
        reader.find_page_for_modification(number)[0] for number in range(int(reader.root["/Pages"]["/Count"]))
    ]
    return {(one.idnum, one.generation): number for number, one in enumerate(references, start=1)}
