"""The fields of a fillable PDF, described so that a web page can ask the same questions.

A form is taken in once: rewritten without scripts and actions, its empty signature field turned into a mere place.
Hostile files cost time and memory: call this in a limited process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from io import BytesIO
from typing import IO, Any, Final

import pikepdf
from pikepdf import Array, Dictionary, Object

from pki.errors import PdfRefused
from pki.pades.boundary import refusing
from pki.pades.faults import PdfFault
from pki.pades.placement import POINTS_PER_MM, PageGeometry, Rectangle

LARGEST_FORM: Final = 10 * 1024 * 1024
MOST_PAGES: Final = 50
MOST_FIELDS: Final = 150
MOST_OPTIONS: Final = 300
LONGEST_TEXT: Final = 2_000
_LONGEST_LABEL: Final = 300
_DEEPEST: Final = 12
# Flags of fields (ISO 32000-1, tables 221, 226, 228, 230).
READ_ONLY: Final = 1
_REQUIRED: Final = 1 << 1
_MULTILINE: Final = 1 << 12
_PASSWORD: Final = 1 << 13
_FILE: Final = 1 << 20
_RADIO: Final = 1 << 15
_PUSH: Final = 1 << 16
_MULTIPLE: Final = 1 << 21
OFF: Final = "/Off"


class FieldKind(StrEnum):
    TEXT = "text"
    LINES = "lines"
    CHECKBOX = "checkbox"
    RADIO = "radio"
    CHOICE = "choice"


@dataclass(frozen=True)
class Option:
    # What is stored, and what a person reads.
    value: str
    label: str


@dataclass(frozen=True)
class FormField:
    """One question of a form."""

    # Fully qualified, parts joined by full stops.
    name: str
    kind: FieldKind
    # Its tooltip (/TU), which screen readers read too; the name where there is none.
    label: str
    required: bool
    options: tuple[Option, ...] = ()
    longest: int = LONGEST_TEXT

    def to_json(self) -> dict[str, Any]:
        """Return plain values; `from_json` reads them back."""
        return {
            "name": self.name,
            "kind": str(self.kind),
            "label": self.label,
            "required": self.required,
            "options": [[one.value, one.label] for one in self.options],
            "longest": self.longest,
        }

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> FormField:
        return cls(
            facts["name"],
            FieldKind(facts["kind"]),
            facts["label"],
            bool(facts["required"]),
            tuple(Option(value, label) for value, label in facts["options"]),
            int(facts["longest"]),
        )


@dataclass(frozen=True)
class SignaturePlace:
    """Where the form wants its signature: a page (from 1) and the distance from its top left corner as shown."""

    page: int
    x_mm: float
    y_mm: float


@dataclass(frozen=True)
class FormDescription:
    pages: int
    fields: tuple[FormField, ...]
    signature: SignaturePlace | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values: `pages`, `fields` and `signature` (None, or a page and millimetres)."""
        return {
            "pages": self.pages,
            "fields": [one.to_json() for one in self.fields],
            "signature": asdict(self.signature) if self.signature else None,
        }


def take_in(source: IO[bytes], output: IO[bytes]) -> FormDescription:
    """Write the form to `output`, rewritten as one revision without scripts and actions, and return what it asks.

    Fields come in the order of the form. An empty signature field is taken out; its place is returned. Raises
    PdfRefused: NOT_A_PDF, DAMAGED, ENCRYPTED, TOO_LARGE, TOO_MANY_PAGES, ALREADY_SIGNED, ACTIVE_CONTENT (an XFA form,
    which only one program shows), NO_FIELDS, and FIELD_UNUSABLE for a kind of field that no page could ask (a file,
    a password, several choices at once), a field without a place on a page, or two of one name.
    """
    content = source.read(LARGEST_FORM + 1)
    if len(content) > LARGEST_FORM:
        raise PdfRefused(PdfFault.TOO_LARGE)
    if b"%PDF-" not in content[:1024]:
        raise PdfRefused(PdfFault.NOT_A_PDF)
    with refusing(PdfFault.DAMAGED):
        try:
            opened = pikepdf.open(BytesIO(content))
        except pikepdf.PasswordError as error:
            raise PdfRefused(PdfFault.ENCRYPTED) from error
        with opened:
            description = _cleaned(opened)
            opened.remove_unreferenced_resources()
            buffer = BytesIO()
            opened.save(buffer, min_version="1.7", object_stream_mode=pikepdf.ObjectStreamMode.disable)
    output.write(buffer.getvalue())
    return description


def terminal_fields(pdf: pikepdf.Pdf) -> Iterator[tuple[str, Object]]:
    """Yield each field that holds a value, with its full name, in the order of the form."""
    form = pdf.Root.get("/AcroForm")
    for entry in form.get("/Fields", Array()) if isinstance(form, Dictionary) else ():
        yield from _below(entry, "", 0)


def inherited(field: Object, key: str) -> Object | None:
    """Return an attribute of a field or of the nearest field above that has it (12.7.3.1)."""
    for _ in range(_DEEPEST):
        if key in field:
            return field[key]
        if "/Parent" not in field:
            return None
        field = field["/Parent"]
    return None


def widgets(field: Object) -> list[Object]:
    """Return where a field stands on pages: itself, or its kids."""
    return list(field["/Kids"].as_list()) if "/Kids" in field else [field]


def on_state(widget: Object) -> str | None:
    """Return the name, with its slash, that ticks a box or a radio button; None where it has none."""
    normal = widget.get("/AP", Dictionary()).get("/N", Dictionary())
    if isinstance(normal, pikepdf.Stream) or not isinstance(normal, Dictionary):
        return None
    return next((key for key in normal.keys() if key != OFF), None)  # noqa: SIM118  not a mapping


def _cleaned(pdf: pikepdf.Pdf) -> FormDescription:
    if pdf.is_encrypted:
        raise PdfRefused(PdfFault.ENCRYPTED)
    if not 0 < len(pdf.pages) <= MOST_PAGES:
        raise PdfRefused(PdfFault.TOO_MANY_PAGES)
    form = pdf.Root.get("/AcroForm")
    if not isinstance(form, Dictionary):
        raise PdfRefused(PdfFault.NO_FIELDS)
    if "/XFA" in form:
        raise PdfRefused(PdfFault.ACTIVE_CONTENT)
    _drop_actions(pdf)
    found = list(terminal_fields(pdf))
    signature = _take_signature_out(pdf, found)
    described = [_described(name, field) for name, field in found if _type(field) != "/Sig" and _is_asked(field)]
    names = [one.name for one in described]
    if not described:
        raise PdfRefused(PdfFault.NO_FIELDS)
    if len(names) > MOST_FIELDS or len(set(names)) != len(names):
        raise PdfRefused(PdfFault.FIELD_UNUSABLE)
    _check_places(pdf, [field for _, field in found])
    return FormDescription(len(pdf.pages), tuple(described), signature)


def _drop_actions(pdf: pikepdf.Pdf) -> None:
    """Take out whatever runs: what a script would compute, the citizen fills in and the agency checks."""
    for key in ("/OpenAction", "/AA"):
        if key in pdf.Root:
            del pdf.Root[key]
    if "/Names" in pdf.Root:
        for key in ("/JavaScript", "/EmbeddedFiles"):
            if key in pdf.Root.Names:
                del pdf.Root.Names[key]
    for one in pdf.objects:
        if isinstance(one, Dictionary):
            for key in ("/AA", "/A", "/JS"):
                if key in one:
                    del one[key]


def _below(entry: Object, above: str, depth: int) -> Iterator[tuple[str, Object]]:
    if depth > _DEEPEST:
        raise PdfRefused(PdfFault.FIELD_UNUSABLE)
    name = ".".join(filter(None, (above, str(entry.get("/T", "")))))
    kids = [kid for kid in entry.get("/Kids", Array()) if "/T" in kid]
    if kids:
        for kid in kids:
            yield from _below(kid, name, depth + 1)
    else:
        yield name, entry


def _take_signature_out(pdf: pikepdf.Pdf, found: list[tuple[str, Object]]) -> SignaturePlace | None:
    fields = [field for _, field in found if _type(field) == "/Sig"]
    if any(inherited(field, "/V") is not None for field in fields):
        raise PdfRefused(PdfFault.ALREADY_SIGNED)
    place = _place_of(pdf, fields[0]) if fields else None
    for field in fields:
        for page in pdf.pages:
            if "/Annots" in page.obj:
                page.obj.Annots = Array([one for one in page.obj.Annots if one.objgen != field.objgen])
        form = pdf.Root.AcroForm
        form.Fields = Array([one for one in form.Fields if one.objgen != field.objgen])
    if "/SigFlags" in pdf.Root.AcroForm:
        del pdf.Root.AcroForm["/SigFlags"]
    return place


def _place_of(pdf: pikepdf.Pdf, field: Object) -> SignaturePlace | None:
    x0, y0, x1, y1 = (float(one) for one in field.get("/Rect", Array([0, 0, 0, 0])).as_list())
    box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    for number, page in enumerate(pdf.pages, start=1):
        stands_here = any(one.objgen == field.objgen for one in page.obj.get("/Annots", Array()))
        if stands_here and min(box[2] - box[0], box[3] - box[1]) >= 1:
            x, y = _from_top_left(_geometry(page), box)
            return SignaturePlace(number, x, y)
    return None


def _geometry(page: pikepdf.Page) -> PageGeometry:
    x0, y0, x1, y1 = (float(one) for one in page.cropbox.as_list())
    turn = int(page.obj.get("/Rotate", 0)) % 360 // 90 * 90
    box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    return PageGeometry(box, turn, float(page.obj.get("/UserUnit", 1)))


def _from_top_left(page: PageGeometry, box: Rectangle) -> tuple[float, float]:
    """Return the millimetres from the left and the top of the page as a reader sees it."""
    left, bottom, right, top = page.box
    across, down = {
        90: (box[1] - bottom, box[0] - left),
        180: (right - box[2], box[1] - bottom),
        270: (top - box[3], right - box[2]),
    }.get(page.rotation, (box[0] - left, top - box[3]))
    unit = page.user_unit / POINTS_PER_MM
    return round(max(0.0, across) * unit, 1), round(max(0.0, down) * unit, 1)


def _check_places(pdf: pikepdf.Pdf, fields: list[Object]) -> None:
    shown = {one.objgen for page in pdf.pages for one in page.obj.get("/Annots", Array())}
    for field in fields:
        if _type(field) != "/Sig" and any(one.objgen not in shown for one in widgets(field)):
            raise PdfRefused(PdfFault.FIELD_UNUSABLE)


def _type(field: Object) -> str:
    return str(inherited(field, "/FT") or "")


def _flags(field: Object) -> int:
    return int(inherited(field, "/Ff") or 0)


def _is_asked(field: Object) -> bool:
    push = _type(field) == "/Btn" and _flags(field) & _PUSH
    return not push and not _flags(field) & READ_ONLY


def _described(name: str, field: Object) -> FormField:
    kind = _kind(field)
    if not name or len(name) > _LONGEST_LABEL:
        raise PdfRefused(PdfFault.FIELD_UNUSABLE)
    label = " ".join(str(inherited(field, "/TU") or name).split())[:_LONGEST_LABEL]
    longest = int(inherited(field, "/MaxLen") or LONGEST_TEXT)
    return FormField(
        name,
        kind,
        label,
        bool(_flags(field) & _REQUIRED),
        _options(field, kind),
        min(max(1, longest), LONGEST_TEXT),
    )


def _kind(field: Object) -> FieldKind:
    flags = _flags(field)
    match _type(field):
        case "/Tx" if not flags & (_PASSWORD | _FILE):
            return FieldKind.LINES if flags & _MULTILINE else FieldKind.TEXT
        case "/Btn":
            return FieldKind.RADIO if flags & _RADIO else FieldKind.CHECKBOX
        case "/Ch" if not flags & _MULTIPLE:
            return FieldKind.CHOICE
        case _:
            raise PdfRefused(PdfFault.FIELD_UNUSABLE)


def _options(field: Object, kind: FieldKind) -> tuple[Option, ...]:
    found: list[Option] = []
    if kind is FieldKind.CHOICE:
        for one in inherited(field, "/Opt") or Array():
            pair = [str(part) for part in one] if isinstance(one, Array) else [str(one)] * 2
            found.append(Option(pair[0], pair[1]))
    elif kind is FieldKind.RADIO:
        for widget in widgets(field):
            state = on_state(widget)
            if state is not None:
                found.append(Option(state[1:], str(widget.get("/TU", state[1:]))))
    elif kind is FieldKind.CHECKBOX:
        # Without a drawing of its own a box has no name for being ticked.
        if not all(on_state(one) for one in widgets(field)):
            raise PdfRefused(PdfFault.FIELD_UNUSABLE)
    else:
        return ()
    if kind is not FieldKind.CHECKBOX and not 1 <= len({one.value for one in found}) == len(found) <= MOST_OPTIONS:
        raise PdfRefused(PdfFault.FIELD_UNUSABLE)
    return tuple(found)
