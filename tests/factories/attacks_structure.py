"""Hostile PDF files that mislead parsers or wear them out: bombs, loops, depths, cross-references that lie."""

from __future__ import annotations

import re
import zlib
from functools import cache

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.factories import pdfs
from tests.factories.attacks import with_section

_BOMB_BYTES = 128 * 1024 * 1024


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


def with_deep_pages(pdf: bytes) -> bytes:
    """Three thousand branches of the tree of pages, one below another."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        below = writer.root.raw_get("/Pages")
        for _ in range(3000):
            node = {
                "/Type": pdf_name("/Pages"),
                "/Count": generic.NumberObject(1),
                "/Kids": generic.ArrayObject([below]),
            }
            below = writer.add_object(generic.DictionaryObject({pdf_name(key): one for key, one in node.items()}))
        writer.root[pdf_name("/Pages")] = below
        writer.update_root()

    return pdfs.updated(pdf, change)


def with_object_that_is_itself(pdf: bytes) -> bytes:
    """A reference loop: the catalogue's form is a reference to itself."""
    body = b"900 0 obj\n900 0 R\nendobj\n"
    entries = b"900 1\n%010d 00000 n \n" % len(pdf)
    hostile = with_section(pdf + body, entries)
    return hostile.replace(b"/AcroForm ", b"/AcroForm 900 0 R %", 1)


def with_bomb(pdf: bytes) -> bytes:
    """A stream of 128 megabytes in an eighth of one, as content of the page."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        bomb = generic.StreamObject({pdf_name("/Filter"): pdf_name("/FlateDecode")}, encoded_data=_packed_zeros())
        page = writer.root["/Pages"]["/Kids"][0]
        page[pdf_name("/Contents")] = writer.add_object(bomb)
        writer.update_container(page)

    return pdfs.updated(pdf, change)


def with_bomb_of_objects(pdf: bytes) -> bytes:
    """A bomb where the parser itself must look: the cross-references are a stream of 128 megabytes."""
    packed = _packed_zeros()
    entries = b"/Type /XRef /Size 100000000 /W [1 4 2] /Root 1 0 R /Filter /FlateDecode /Length %d" % len(packed)
    end = b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(pdf)
    return pdf + b"950 0 obj\n<< " + entries + b" >>\nstream\n" + packed + end


@cache
def _packed_zeros() -> bytes:
    packer, piece = zlib.compressobj(9), bytes(1024 * 1024)
    return b"".join(packer.compress(piece) for _ in range(_BOMB_BYTES // len(piece))) + packer.flush()


def with_very_many_revisions(pdf: bytes) -> bytes:
    """Five thousand empty updates."""
    parts, length, before = [pdf], len(pdf), int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])
    root = re.findall(rb"/Root (\d+)", pdf)[-1]
    for _ in range(5000):
        trailer = b"xref\n0 0\ntrailer\n<< /Size 99 /Root %s 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (
            root,
            before,
            length,
        )
        parts.append(trailer)
        before, length = length, length + len(trailer)
    return b"".join(parts)


def with_quiet_revisions(pdf: bytes) -> bytes:
    """A thousand sections in one update: each names the one before, only the last is named by the end."""
    parts, length, before = [pdf], len(pdf), int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])
    root = re.findall(rb"/Root (\d+)", pdf)[-1]
    for _ in range(1000):
        part = b"xref\n0 0\ntrailer\n<< /Size 99 /Root %s 0 R /Prev %d >>\n" % (root, before)
        parts.append(part)
        before, length = length, length + len(part)
    return b"".join(parts) + b"startxref\n%d\n%%%%EOF\n" % before


def with_endless_revisions(pdf: bytes) -> bytes:
    """A reference loop: the section before this one is this one."""
    return re.sub(rb"/Prev \d+(?=[^/]*/?[^/]*\Z)", b"/Prev %d" % len(pdf), with_section(pdf, b"0 0\n"))


def with_section_that_lies(pdf: bytes) -> bytes:
    """Cross-references that lead to the middle of another object."""
    return with_section(pdf, b"1 1\n%010d 00000 n \n" % 20)


def with_freed_catalogue(pdf: bytes) -> bytes:
    """Cross-references that call the catalogue's object free."""
    root = int(re.findall(rb"/Root (\d+)", pdf)[-1])
    return with_section(pdf, b"%d 1\n0000000000 65535 f \n" % root)


def with_hybrid_section(pdf: bytes) -> bytes:
    """Hybrid references: a table for old viewers, and a stream for new ones that leads to other content."""
    fake = b"BT /F1 14 Tf 80 740 Td (Quyet dinh so 99) Tj ET"
    number = int(re.findall(rb"/Contents (\d+) 0 R", pdf)[0])
    body = b"%d 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (number, len(fake), fake)
    entry = b"\x01" + len(pdf).to_bytes(4, "big") + b"\x00\x00"
    place = len(pdf) + len(body)
    entries = b"/Type /XRef /Size 961 /W [1 4 2] /Index [%d 1] /Root 1 0 R /Length 7" % number
    whole = pdf + body + b"960 0 obj\n<< " + entries + b" >>\nstream\n" + entry + b"\nendstream\nendobj\n"
    root = re.findall(rb"/Root (\d+)", pdf)[-1]
    before = re.findall(rb"startxref\s+(\d+)", pdf)[-1]
    return whole + (
        b"xref\n0 0\ntrailer\n<< /Size 961 /Root %s 0 R /Prev %s /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n"
        % (root, before, place, len(whole))
    )


def with_bytes_before_header(pdf: bytes) -> bytes:
    """Header offset: another kind of file before the first byte."""
    return b"GIF89a\n" + pdf


def with_second_header(pdf: bytes) -> bytes:
    """Header offset: two headers, and viewers that count from the first or from the second."""
    return b"%PDF-1.7\n" + pdf


def with_trailing_bytes(pdf: bytes) -> bytes:
    """Bytes of nobody behind the end."""
    return pdf + b"\x00" * 16


def with_trailing_archive(pdf: bytes) -> bytes:
    """Another kind of file behind the end: one of many meanings."""
    return pdf + b"PK\x05\x06" + bytes(18)
