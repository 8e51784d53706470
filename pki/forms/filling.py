"""Filling a form in, once, before anybody signs: values, appearances with an embedded font, and nothing left to fill.

Every value is drawn by us (no NeedAppearances, which lets each program draw something else), and every field is closed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Object

from pki.forms.fields import READ_ONLY, FieldKind, FormField, inherited, on_state, terminal_fields, widgets
from pki.pades.boundary import refusing
from pki.pades.faults import PdfFault
from pki.pades.lettering import Face, face, font_object, subset_of

TICKED: Final = "1"
_LARGEST: Final = 12.0
_SMALLEST: Final = 6.0
_LEADING: Final = 1.2
_MARGIN: Final = 2.0
_ASCENT: Final = 0.9
_DESCENT: Final = 0.22


@dataclass(frozen=True)
class Filled:
    """What could not be filled in, by name; the file is of use only if both are empty."""

    # Values that do not fit into their place at 6 points.
    too_long: tuple[str, ...]
    # Values with a character that the font lacks.
    unreadable: tuple[str, ...]


def fill(source: IO[bytes], output: IO[bytes], fields: Mapping[str, FormField], values: Mapping[str, str]) -> Filled:
    """Write the form (as `take_in` left it) with `values` by field name to `output`; fields without one stay empty.

    A text or a choice's value is NFC text; a ticked box is `TICKED`; a radio field has the value of an option.
    Raises PdfRefused(DAMAGED).
    """
    font = face("Regular")
    cleaned = {name: _clean(value) for name, value in values.items() if name in fields and value}
    unreadable = tuple(name for name, value in cleaned.items() if not _is_readable(fields[name], value, font))
    too_long: list[str] = []
    with refusing(PdfFault.DAMAGED), pikepdf.open(BytesIO(source.read())) as pdf:
        if not unreadable:
            shown = "".join(_shown(fields[name], value) for name, value in cleaned.items())
            pen = _Pen(pdf, font, shown.replace("\n", " "))
            for name, field in terminal_fields(pdf):
                if name in fields and not _set(pen, field, fields[name], cleaned.get(name, "")):
                    too_long.append(name)
                field.Ff = int(inherited(field, "/Ff") or 0) | READ_ONLY
            if "/NeedAppearances" in pdf.Root.AcroForm:
                del pdf.Root.AcroForm["/NeedAppearances"]
            buffer = BytesIO()
            pdf.save(buffer, min_version="1.7", object_stream_mode=pikepdf.ObjectStreamMode.disable)
            output.write(buffer.getvalue())
    return Filled(tuple(too_long), unreadable)


class _Pen:
    """The one font of a filled form, with the glyphs that it shows."""

    def __init__(self, pdf: pikepdf.Pdf, font: Face, text: str) -> None:
        self.pdf = pdf
        self.font = font
        data, self.glyph_ids = subset_of(font, text)
        self.object = font_object(pdf, font, data, self.glyph_ids)

    def draw(self, width: float, height: float, lines: list[str], size: float, *, top: bool) -> pikepdf.Stream:
        """Return an appearance: lines from the top, or one line in the middle of the height."""
        leading = size * _LEADING
        base = height - _MARGIN - size * _ASCENT if top else height / 2 - size * (_ASCENT - _DESCENT) / 2 + size * 0.02
        parts = ["/Tx BMC q", f"1 1 {width - 2:.2f} {height - 2:.2f} re W n BT 0 g /F1 {size:.2f} Tf"]
        for number, line in enumerate(lines):
            glyphs = "".join(f"{self.glyph_ids[self.font.glyphs[ord(letter)]]:04X}" for letter in line)
            parts.append(f"1 0 0 1 {_MARGIN:.2f} {base - number * leading:.2f} Tm <{glyphs}> Tj")
        parts.append("ET Q EMC")
        return self.pdf.make_stream(
            "\n".join(parts).encode("ascii"),
            Type=Name.XObject,
            Subtype=Name.Form,
            BBox=Array([0, 0, width, height]),
            Resources=Dictionary(Font=Dictionary(F1=self.object)),
        )


def _clean(value: str) -> str:
    lines = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(" ".join(line.split()) for line in lines).strip()


def _is_readable(field: FormField, value: str, font: Face) -> bool:
    return all(ord(letter) in font.glyphs for letter in _shown(field, value) if letter != "\n")


def _shown(field: FormField, value: str) -> str:
    """Return the text that a reader sees on the page for a value."""
    if field.kind is FieldKind.CHOICE:
        return next((one.label for one in field.options if one.value == value), "")
    return value if field.kind in (FieldKind.TEXT, FieldKind.LINES) else ""


def _set(pen: _Pen, field: Object, described: FormField, value: str) -> bool:
    """Give a field its value and each of its places the drawing of it; False if it does not fit into one."""
    if described.kind in (FieldKind.CHECKBOX, FieldKind.RADIO):
        _tick(field, described, value)
        return True
    field.V = pikepdf.String(value)
    shown = _shown(described, value)
    for widget in widgets(field):
        left, bottom, right, top = (float(one) for one in widget.Rect.as_list())
        width, height = abs(right - left), abs(top - bottom)
        many = described.kind is FieldKind.LINES
        size, lines = _set_in(pen.font, shown, width, height, _wished_size(field, height, many=many), many=many)
        if size < _SMALLEST and shown:
            return False
        widget.AP = Dictionary(N=pen.draw(width, height, lines if shown else [], size, top=many))
    return True


def _tick(field: Object, described: FormField, value: str) -> None:
    chosen = Name.Off
    for widget in widgets(field):
        state = on_state(widget)
        wanted = value == TICKED if described.kind is FieldKind.CHECKBOX else state == f"/{value}"
        widget.AS = Name(state) if wanted and state is not None else Name.Off
        if wanted and state is not None:
            chosen = Name(state)
    field.V = chosen


def _wished_size(field: Object, height: float, *, many: bool) -> float:
    """Return the size that the form's default appearance asks for; 0 there means as large as fits."""
    words = str(inherited(field, "/DA") or "").split()
    size = 0.0
    if "Tf" in words[1:]:
        try:
            size = float(words[words.index("Tf") - 1])
        except ValueError:
            size = 0.0
    return size if size > 0 else (_LARGEST if many else min(_LARGEST, height * 0.7))


def _set_in(font: Face, text: str, width: float, height: float, size: float, *, many: bool) -> tuple[float, list[str]]:
    """Return the largest size up to `size` at which the text fits, and its lines; under 6 points it does not."""
    room = width - 2 * _MARGIN
    while size >= _SMALLEST:
        lines = _wrapped(font, text, room, size) if many else [text.replace("\n", " ")]
        tall = len(lines) * size * _LEADING + 2 * _MARGIN if many else size
        if tall <= height and all(font.width(line, size) <= room for line in lines):
            return size, lines
        size -= 0.5
    return 0.0, []


def _wrapped(font: Face, text: str, room: float, size: float) -> list[str]:
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and font.width(longer, size) > room:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return lines
