"""Fillable PDFs of our own making, one oddity at a time."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Object

RECT = (100, 700, 300, 720)


def text_field(pdf: pikepdf.Pdf, name: str = "ten", **changes: Any) -> Object:
    made = Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=pikepdf.String(name), Rect=Array(RECT), F=4)
    for key, value in changes.items():
        made[f"/{key}"] = value
    return pdf.make_indirect(made)


def box(pdf: pikepdf.Pdf, name: str = "dong_y", on: str | None = "co", **changes: Any) -> Object:
    """Return a checkbox whose ticked state is called `on`; None leaves its drawings out."""
    made = text_field(pdf, name, FT=Name.Btn, AS=Name.Off, **changes)
    if on is not None:
        look = {"Type": Name.XObject, "Subtype": Name.Form, "BBox": Array([0, 0, 20, 20])}
        states = Dictionary(Off=pdf.make_stream(b"", **look))
        states[f"/{on}"] = pdf.make_stream(b"0 0 20 20 re f", **look)
        made.AP = Dictionary(N=states)
    return made


def signature_field(pdf: pikepdf.Pdf, rect: tuple[float, ...] = (100, 100, 300, 180), **changes: Any) -> Object:
    return text_field(pdf, "chu_ky", FT=Name.Sig, Rect=Array(rect), **changes)


def form(*makers: Any, change: Any = None, page: dict[str, Any] | None = None) -> bytes:
    """Return a form of one A4 page whose fields `makers` make; `change(pdf)` comes last."""
    with pikepdf.new() as pdf:
        shown = pdf.add_blank_page(page_size=(595, 842))
        for key, value in (page or {}).items():
            shown.obj[f"/{key}"] = value
        fields = [make(pdf) for make in makers]
        shown.obj.Annots = Array([one for field in fields for one in (field.Kids if "/Kids" in field else [field])])
        pdf.Root.AcroForm = Dictionary(Fields=Array(fields), NeedAppearances=True)
        if change is not None:
            change(pdf)
        output = BytesIO()
        pdf.save(output)
    return output.getvalue()
