"""The fields of a document: made before anybody signs, found again, and filled by name after the first signature.

New fields after a signature are what an attacker would add; a document that knows all its places from the beginning
can be held to them. Text fields are filled with an appearance of ours, so no viewer makes one up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import IO, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.rw_common import PdfHandler
from pyhanko.sign.fields import (
    FieldMDPAction,
    FieldMDPSpec,
    MDPPerm,
    SigFieldSpec,
    VisibleSigSettings,
    append_signature_field,
    enumerate_sig_fields,
)

from pki.errors import PdfRefused
from pki.pades.boundary import refusing
from pki.pades.drawing import draw
from pki.pades.drawn import Drawn
from pki.pades.faults import PdfFault
from pki.pades.geometry import geometry_of, page_geometry
from pki.pades.increment import Growing
from pki.pades.locks import Rights, refuse_closed
from pki.pades.placement import PageGeometry, Placement, Rectangle, check_inside

# What is filled in at issue; whoever signs before leaves these open, and the check allows no others.
NUMBER: Final = "so_ky_hieu"
DATE: Final = "ngay_ban_hanh"
CODE: Final = "ma_qr"
SEAL: Final = "dau_coquan"
FILLED_AT_ISSUE: Final = (NUMBER, DATE, CODE)
_DEEPEST: Final = 32
# Printed, and nobody may move it (ISO 32000-1, table 165).
_PRINTED_AND_LOCKED: Final = 132
# What no viewer offers for typing (ISO 32000-1, table 221).
_READ_ONLY: Final = 1


class Lock(StrEnum):
    """Which fields a signature closes (FieldMDP, ISO 32000-1, 12.8.2.4)."""

    NOTHING = "nothing"
    # All but the seal and what is filled at issue.
    ALL_BUT_ISSUE = "all_but_issue"
    ALL = "all"


class FieldKind(StrEnum):
    SIGNATURE = "signature"
    TEXT = "text"


@dataclass(frozen=True)
class FieldSpec:
    """A field to be made; `lock` is for signatures."""

    name: str
    kind: FieldKind
    placement: Placement
    lock: Lock = Lock.NOTHING
    # What ALL_BUT_ISSUE leaves open besides: the signatures that others make beside or after this one.
    leaves: Sequence[str] = ()


@dataclass(frozen=True)
class FieldValue:
    """What a text field will say to programs, and how it looks to people."""

    text: str
    mark: Drawn


@dataclass(frozen=True)
class Field:
    """A field of an open file."""

    # Full name: with those of the fields above it, and dots between.
    name: str
    is_signature: bool
    is_filled: bool
    rights: Rights | None
    reference: generic.Reference
    # The dictionary with place and appearance: the field itself, or what stands for it on a page.
    widget: generic.DictionaryObject

    @property
    def place(self) -> tuple[PageGeometry, Rectangle] | None:
        """The page and the box on it; None where nothing can be shown."""
        if "/Rect" not in self.widget or "/P" not in self.widget:
            return None
        x0, y0, x1, y1 = (float(number) for number in self.widget["/Rect"])
        box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        return (geometry_of(self.widget["/P"]), box) if box[0] < box[2] and box[1] < box[3] else None


def create_fields(base: IO[bytes], specs: Sequence[FieldSpec]) -> bytes:
    """Return an incremental update that makes the fields, to stand behind `base`, which nobody has signed yet.

    Raises PdfRefused: ALREADY_SIGNED, FIELD_TAKEN (a name that is there, or the beginning of another one: viewers
    compare locked names by their beginning), MARK_OUTSIDE_PAGE, DAMAGED.
    """
    with refusing(PdfFault.DAMAGED):
        growing = Growing(base)
        writer = IncrementalPdfFileWriter(growing, strict=False)
        if next(enumerate_sig_fields(writer.prev, filled_status=True), None) is not None:
            raise PdfRefused(PdfFault.ALREADY_SIGNED)
        names = [*(one.name for one in fields_of(writer)), *(spec.name for spec in specs)]
        _check_names(names)
        for spec in specs:
            geometry = page_geometry(writer, spec.placement.page)
            check_inside((geometry,), Placement(1, spec.placement.rectangle))
            if spec.kind is FieldKind.SIGNATURE:
                rights = rights_of(spec.lock, leaves=spec.leaves, there=names)
                append_signature_field(writer, signature_field(spec.name, spec.placement, rights))
            else:
                _add_text_field(writer, spec)
        writer.write_in_place()
        return growing.appended


def fill_texts(base: IO[bytes], values: Mapping[str, FieldValue]) -> bytes:
    """Return an incremental update that fills the named text fields, each of which must be there and empty.

    Raises PdfRefused: FIELD_TAKEN (no such text field, or it is filled), LOCKED (an earlier signer closed it),
    MARK_UNREADABLE, DAMAGED.
    """
    with refusing(PdfFault.DAMAGED):
        growing = Growing(base)
        writer = IncrementalPdfFileWriter(growing, strict=False)
        fill(writer, values)
        writer.write_in_place()
        return growing.appended


def fill(writer: IncrementalPdfFileWriter, values: Mapping[str, FieldValue]) -> None:
    """Fill text fields of an open file, as `fill_texts` does; nothing is written yet. Raises PdfRefused as it does."""
    fields = {one.name: one for one in fields_of(writer)}
    for name, value in values.items():
        found = fields.get(name)
        if found is None or found.is_signature or found.is_filled or found.place is None:
            raise PdfRefused(PdfFault.FIELD_TAKEN)
        refuse_closed(writer.prev, name)
        field: generic.DictionaryObject = writer.get_object(found.reference)
        field["/V"] = generic.TextStringObject(value.text)
        draw(writer, found.widget, value.mark, *found.place)
        writer.update_container(found.widget)
        writer.mark_update(found.reference)


def fields_of(pdf: PdfHandler) -> list[Field]:
    """Return every field that has a name and no named fields below it."""
    # By subscript: `get` would hand over a reference where the form or its list is an object of its own.
    form = pdf.root["/AcroForm"] if "/AcroForm" in pdf.root else {}
    entries = form["/Fields"] if "/Fields" in form else ()
    return list(_walk(entries, parent="", kind="", depth=0))


def signature_field(name: str, placement: Placement | None, rights: Rights | None) -> SigFieldSpec:
    """Return what pyHanko needs to make a signature field, invisible without a placement."""
    box, page = None, 0
    if placement is not None:
        left, bottom, right, top = placement.rectangle
        box, page = (round(left, 2), round(bottom, 2), round(right, 2), round(top, 2)), placement.page - 1
    return SigFieldSpec(
        name,
        on_page=page,
        # pyHanko's type asks for integers; a mark at a millimetre needs fractions and its code writes them as they are.
        box=box,  # type: ignore[arg-type]
        field_mdp_spec=rights.specification if rights is not None else None,
        doc_mdp_update_value=rights.changes if rights is not None else None,
        visible_sig_settings=VisibleSigSettings(rotate_with_page=True),
        # An empty box is clear: what stands below it is read before anybody signs.
        empty_field_appearance=False,
    )


def rights_of(lock: Lock, *, leaves: Sequence[str] = (), there: Collection[str]) -> Rights | None:
    """Return the lock as files say it; signing stays allowed, since proofs for the archive are added last.

    `leaves` are the signatures that ALL_BUT_ISSUE leaves to others, `there` the names of all fields of the document.
    Where one that is still to be signed is not there, nothing is said of changes to the document: a visible field that
    is made after a signature which allows nothing but filling in breaks that signature.
    """
    if lock is Lock.NOTHING:
        return None
    if lock is Lock.ALL:
        return Rights(FieldMDPSpec(FieldMDPAction.ALL), MDPPerm.FILL_FORMS)
    open_to = FieldMDPSpec(FieldMDPAction.EXCLUDE, [SEAL, *FILLED_AT_ISSUE, *leaves])
    return Rights(open_to, MDPPerm.FILL_FORMS if {SEAL, *leaves} <= set(there) else None)


def _walk(entries: Iterable[generic.PdfObject], *, parent: str, kind: str, depth: int) -> Iterator[Field]:
    if depth > _DEEPEST:
        raise PdfReadError("a tree of fields without end")
    for entry in entries:
        if not isinstance(entry, generic.IndirectObject):
            raise PdfReadError("a field that is not an object of its own")
        found = entry.get_object()
        if "/T" not in found:
            continue
        name = f"{parent}{found['/T']}"
        below = str(found["/FT"]) if "/FT" in found else kind
        kids = list(found["/Kids"]) if "/Kids" in found else []
        if any("/T" in kid.get_object() for kid in kids):
            yield from _walk(kids, parent=f"{name}.", kind=below, depth=depth + 1)
            continue
        yield Field(
            name=name,
            is_signature=below == "/Sig",
            is_filled="/V" in found,
            rights=Rights.read(found["/Lock"]) if "/Lock" in found else None,
            reference=entry.reference,
            widget=kids[0].get_object() if len(kids) == 1 else found,
        )


def _check_names(names: Sequence[str]) -> None:
    """Refuse a name that is the beginning of another, or is there twice."""
    ordered = sorted(names)
    if any(later.startswith(earlier) for earlier, later in pairwise(ordered)):
        raise PdfRefused(PdfFault.FIELD_TAKEN)


def _add_text_field(writer: IncrementalPdfFileWriter, spec: FieldSpec) -> None:
    page_reference = writer.find_page_for_modification(spec.placement.page - 1)[0]
    rectangle = generic.ArrayObject(generic.FloatObject(round(number, 2)) for number in spec.placement.rectangle)
    widget = writer.add_object(
        generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name("/Widget"),
                pdf_name("/FT"): pdf_name("/Tx"),
                pdf_name("/T"): generic.pdf_string(spec.name),
                pdf_name("/Ff"): generic.NumberObject(_READ_ONLY),
                pdf_name("/F"): generic.NumberObject(_PRINTED_AND_LOCKED),
                pdf_name("/DA"): generic.pdf_string("/Helv 13 Tf 0 g"),
                pdf_name("/Rect"): rectangle,
                pdf_name("/P"): page_reference,
            }
        )
    )
    _form_fields(writer).append(widget)
    writer.register_annotation(page_reference, widget)


def _form_fields(writer: IncrementalPdfFileWriter) -> generic.ArrayObject:
    """Return the list of fields, made if the document has none, and marked as changed."""
    if "/AcroForm" not in writer.root:
        writer.root["/AcroForm"] = writer.add_object(
            generic.DictionaryObject({pdf_name("/Fields"): generic.ArrayObject()})
        )
        writer.update_root()
    form = writer.root["/AcroForm"]
    if "/Fields" not in form:
        form["/Fields"] = generic.ArrayObject()
    if "/DR" not in form:
        # The fallback that /DA of our text fields names; what is shown is always an appearance of ours.
        helvetica = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
        font = generic.DictionaryObject({pdf_name(key): pdf_name(value) for key, value in helvetica.items()})
        fonts = generic.DictionaryObject({pdf_name("/Helv"): font})
        form["/DR"] = generic.DictionaryObject({pdf_name("/Font"): fonts})
    fields: generic.ArrayObject = form["/Fields"]
    writer.update_container(fields)
    writer.update_container(form)
    return fields
