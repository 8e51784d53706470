"""Hostile PDF files: what is covered, what is shown. Each is made from a clean twin by a few bytes or one update.

The classes have the names that researchers gave them (signing.md of the house, 6.2). Beside this:
`attacks_signatures` (copied and altered signatures and timestamps, locks), `attacks_structure` (parsers misled or
worn out).
"""

from __future__ import annotations

import re
from io import BytesIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

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
    return _annotated(pdf, "/FreeText")


def _annotated(pdf: bytes, kind: str) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        look = generic.StreamObject(
            {pdf_name("/Subtype"): pdf_name("/Form"), pdf_name("/BBox"): _numbers(0, 0, 200, 40)},
            stream_data=b"1 g 0 0 200 40 re f",
        )
        note = generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name(kind),
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


def without_numbers_in_byte_range(pdf: bytes) -> bytes:
    """Universal signature forgery: the range is null."""
    return re.sub(rb"/ByteRange \[[^]]*\]", lambda found: b"/ByteRange null".ljust(len(found[0])), pdf)


def with_negative_byte_range(pdf: bytes) -> bytes:
    """Universal signature forgery: the second part has a length below zero."""
    return pdfs.with_byte_range(pdf, "0 100 200 -10")


def with_null_contents(pdf: bytes) -> bytes:
    """Universal signature forgery: the value is null, and the gap is a comment's."""
    return re.sub(rb"/Contents <[0-9a-fA-F]{200}", lambda found: b"/Contents null%".ljust(len(found[0]), b" "), pdf)


def with_short_contents(pdf: bytes) -> bytes:
    """Universal signature forgery: one octet stands for a value."""
    return re.sub(rb"<([0-9a-fA-F]{2})[0-9a-fA-F]{2000,}>", lambda found: (b"<00>").ljust(len(found[0])), pdf)


def without_a_page(pdf: bytes) -> bytes:
    """Incremental saving: a page is removed."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        pages = writer.root["/Pages"]
        kids = pages["/Kids"]
        pages[pdf_name("/Kids")] = generic.ArrayObject([kids.raw_get(index) for index in range(len(kids) - 1)])
        pages[pdf_name("/Count")] = generic.NumberObject(len(kids) - 1)
        writer.update_container(pages)

    return pdfs.updated(pdf, change)


def with_comment_and_end(pdf: bytes) -> bytes:
    """Incremental saving: a body behind the end, with nothing but an end mark of its own."""
    return pdf + b"4 0 obj\n<< /Length 0 >>\nstream\n\nendstream\nendobj\n%%EOF\n"


def with_second_byte_range_in_the_gap(pdf: bytes) -> bytes:
    """Signature wrapping: the zeros behind the value hold entries that nobody signed."""
    gap = re.search(rb"<[0-9a-fA-F]{2000,}>", pdf)
    assert gap is not None
    hidden = b">/ByteRange [0 %d %d 20]/Reason (Nothing)/Pad <00" % (gap.start(), gap.end())
    return pdf[: gap.end() - len(hidden) - 1] + hidden + pdf[gap.end() - 1 :]


def with_hexadecimal_gap_in_two_strings(pdf: bytes) -> bytes:
    """Signature wrapping: white space and a second string in the gap."""
    gap = re.search(rb"<[0-9a-fA-F]{2000,}>", pdf)
    assert gap is not None
    return pdf[: gap.end() - 9] + b"> <00000" + pdf[gap.end() - 1 :]


def hiding() -> bytes:
    """Return an unsigned PDF whose text is hidden by a white box: what a shadow attack prepares."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        box = generic.StreamObject(
            {
                pdf_name("/Type"): pdf_name("/XObject"),
                pdf_name("/Subtype"): pdf_name("/Form"),
                pdf_name("/BBox"): _numbers(0, 0, 595, 842),
            },
            stream_data=b"1 g 60 700 400 100 re f",
        )
        page = writer.root["/Pages"]["/Kids"][0]
        page["/Resources"][pdf_name("/XObject")] = generic.DictionaryObject({pdf_name("/Over"): writer.add_object(box)})
        over = writer.add_object(generic.StreamObject(stream_data=b"\n/Over Do"))
        page[pdf_name("/Contents")] = generic.ArrayObject([page.raw_get("/Contents"), over])
        writer.update_container(page)

    return pdfs.updated(pdfs.plain(), change)


def with_revealed_text(pdf: bytes) -> bytes:
    """Shadow hide: the box over the text becomes empty."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        resources = writer.root["/Pages"]["/Kids"][0]["/Resources"]
        resources["/XObject"] = generic.DictionaryObject()
        writer.update_container(resources)

    return pdfs.updated(pdf, change)


def with_prepared_twin() -> bytes:
    """Return an unsigned PDF that carries a second body of its page's content where no reference leads."""
    base = pdfs.plain()
    reference = _contents_of_page(base)
    fake = b"BT /F1 14 Tf 80 740 Td (Quyet dinh so 99) Tj ET"
    body = b"%d 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (reference, len(fake), fake)
    return pdfs.updated(base, lambda writer: _add(writer, generic.StreamObject(stream_data=body)))


def _add(writer: IncrementalPdfFileWriter, made: generic.PdfObject) -> None:
    writer.root[pdf_name("/Kept")] = writer.add_object(made)
    writer.update_root()


def _contents_of_page(pdf: bytes) -> int:
    reader = PdfFileReader(BytesIO(pdf))
    return int(reader.root["/Pages"]["/Kids"][0].raw_get("/Contents").idnum)


def with_twin_swapped_in(pdf: bytes) -> bytes:
    """Shadow hide and replace: cross-references alone, which lead to the second body."""
    number = _contents_of_page(pdf)
    place = pdf.index(b"stream\n%d 0 obj" % number) + len(b"stream\n")
    return with_section(pdf, b"%d 1\n%010d 00000 n \n" % (number, place))


def with_section(pdf: bytes, entries: bytes, extra: bytes = b"") -> bytes:
    """Return the file with one more section of cross-references: `entries`, and `extra` in its trailer."""
    reader = PdfFileReader(BytesIO(pdf), strict=False)
    root = reader.trailer.raw_get("/Root").idnum
    trailer = b"trailer\n<< /Size %d /Root %d 0 R /Prev %d %s >>\n" % (
        reader.trailer["/Size"],
        root,
        reader.last_startxref,
        extra,
    )
    return pdf + b"xref\n" + entries + trailer + b"startxref\n%d\n%%%%EOF\n" % len(pdf)


def with_stamp(pdf: bytes) -> bytes:
    """A stamp over the text, as an annotation that certified files may allow."""
    return _annotated(pdf, "/Stamp")


def with_text_behind_note(pdf: bytes) -> bytes:
    """Evil annotation without a picture: viewers draw one from its text."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        note = generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name("/FreeText"),
                pdf_name("/Rect"): _numbers(70, 730, 270, 770),
                pdf_name("/Contents"): generic.TextStringObject("So 99"),
                pdf_name("/DA"): generic.TextStringObject("/Helv 14 Tf"),
            }
        )
        writer.register_annotation(writer.root["/Pages"]["/Kids"].raw_get(0).reference, writer.add_object(note))

    return pdfs.updated(pdf, change)


def with_overlaid_field(pdf: bytes) -> bytes:
    """Sneaky signature: an empty, visible signature field over the whole page."""
    return pdfs.with_empty_field(pdf, (0, 0, 595, 842))


def with_signed_overlay(pdf: bytes) -> bytes:
    """Sneaky signature: a signed field whose picture covers the whole page."""
    return pdfs.signed_by_another_program(pdf, (0, 0, 595, 842))
