"""Hostile PDF files, each made from a clean twin by a few bytes or one update (classes as researchers name them)."""

from __future__ import annotations

import re

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.factories import pdfs


def _numbers(*values: float) -> generic.ArrayObject:
    return generic.ArrayObject([generic.FloatObject(value) for value in values])


def without_byte_range(pdf: bytes) -> bytes:
    """Universal signature forgery: the signature does not say what it covers."""
    return pdf.replace(b"/ByteRange", b"/ByteRangX")


def without_contents(pdf: bytes) -> bytes:
    """Universal signature forgery: there is no signature value."""
    return re.sub(rb"/Contents( ?<[0-9a-fA-F]{200})", rb"/ContentX\1", pdf)


def with_empty_contents(pdf: bytes) -> bytes:
    """Universal signature forgery: the value is all zeros."""
    return re.sub(rb"<[0-9a-fA-F]{2000,}>", lambda found: b"<" + b"0" * (len(found.group()) - 2) + b">", pdf)


def with_body_of_nobody(pdf: bytes) -> bytes:
    """Incremental saving: new objects and a trailer, but neither cross-references nor an end."""
    return pdf + b"\n4 0 obj\n<< /Length 0 >>\nstream\n\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>\n"


def with_body_and_end(pdf: bytes) -> bytes:
    """Incremental saving: as before, with the end mark and the place of the old cross-references."""
    start = re.findall(rb"startxref\s+\d+\s+%%EOF\n?", pdf)[-1]
    return with_body_of_nobody(pdf) + start


def with_moved_tail(pdf: bytes) -> bytes:
    """Signature wrapping: room between value and tail, with the tail moved behind it."""
    end = re.search(rb"<[0-9a-fA-F]{2000,}>", pdf)
    assert end is not None
    return pdf[: end.end()] + b" /Wrapped (1) " + pdf[end.end() :]


def with_annotation(pdf: bytes) -> bytes:
    """Evil annotation: a note with a picture of its own over the text."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        look = generic.StreamObject(
            {pdf_name("/Subtype"): pdf_name("/Form"), pdf_name("/BBox"): _numbers(0, 0, 200, 40)},
            stream_data=b"1 g 0 0 200 40 re f",
        )
        note = generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name("/FreeText"),
                pdf_name("/Rect"): _numbers(70, 730, 270, 770),
                pdf_name("/AP"): generic.DictionaryObject({pdf_name("/N"): writer.add_object(look)}),
            }
        )
        writer.register_annotation(writer.root["/Pages"]["/Kids"].raw_get(0).reference, writer.add_object(note))

    return pdfs.updated(pdf, change)


def with_other_font(pdf: bytes) -> bytes:
    """Shadow replace: the font of the text is another one."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        font = writer.root["/Pages"]["/Kids"][0]["/Resources"]["/Font"]["/F1"]
        font[pdf_name("/BaseFont")] = pdf_name("/Symbol")
        writer.update_container(font)

    return pdfs.updated(pdf, change)


def without_contents_of_page(pdf: bytes) -> bytes:
    """Shadow hide: what the page shows is taken away."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        page = writer.root["/Pages"]["/Kids"][0]
        page[pdf_name("/Contents")] = writer.add_object(generic.StreamObject(stream_data=b""))
        writer.update_container(page)

    return pdfs.updated(pdf, change)


def with_other_pages(pdf: bytes) -> bytes:
    """Shadow hide and replace: the catalogue points to another tree of pages."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        page = generic.DictionaryObject(
            {pdf_name("/Type"): pdf_name("/Page"), pdf_name("/MediaBox"): _numbers(0, 0, 595, 842)}
        )
        pages = generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Pages"),
                pdf_name("/Count"): generic.NumberObject(1),
                pdf_name("/Kids"): generic.ArrayObject([writer.add_object(page)]),
            }
        )
        writer.root[pdf_name("/Pages")] = writer.add_object(pages)
        writer.update_root()

    return pdfs.updated(pdf, change)


def with_endless_pages(pdf: bytes) -> bytes:
    """A reference loop: the tree of pages is a branch of itself."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        pages = writer.root["/Pages"]
        pages[pdf_name("/Kids")] = generic.ArrayObject([writer.root.raw_get("/Pages")])
        writer.update_container(pages)

    return pdfs.updated(pdf, change)


def with_lying_start(pdf: bytes) -> bytes:
    """The end names another place for the cross-references."""
    return re.sub(rb"startxref\s+\d+(\s+%%EOF\n?)\Z", rb"startxref\n15\1", pdf)


def with_deep_array(pdf: bytes) -> bytes:
    """Ten thousand arrays, one in another."""
    return pdf + b"9 0 obj\n" + b"[" * 10_000 + b"]" * 10_000 + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(pdf)


def with_other_reason(pdf: bytes) -> bytes:
    """Spoofing: the signature's dictionary says something else about itself."""
    return pdf.replace(b"/Type /Sig", b"/Type /Sif", 1)
