"""Taking in PDFs from outside: what is in them, whether they can be signed, and one rewriting before signing.

Hostile files cost time and memory: call this in a limited process. Shadow attacks are prepared before a file is
signed, as objects nobody sees yet; a rewriting that keeps only what is reachable takes them away. A signed file is
never rewritten, since any rewriting breaks a signature.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import IO, BinaryIO, Final, cast

import pikepdf
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature, read_certification_data

from pki.errors import PdfRefused
from pki.pades import active_content
from pki.pades.boundary import refusing
from pki.pades.faults import PdfFault
from pki.pades.flatten import flatten, has_fields
from pki.pades.geometry import page_geometries
from pki.pades.intake_notices import Notice
from pki.pades.intake_warnings import warnings
from pki.pades.prepare import prepare

MAXIMUM_SIZE: Final = 100 * 1024 * 1024
MAXIMUM_PAGES: Final = 2_000
MAXIMUM_REVISIONS: Final = 60
# The largest page that ISO 32000-1, annex C allows, in points.
LARGEST_SIDE: Final = 14_400
# A cross-reference that claims more objects than this costs minutes to read; 200,000 take 430 MB (measured).
_MOST_CLAIMED: Final = 1_000_000
_MOST_OBJECTS: Final = 200_000
_HEADER_WITHIN: Final = 1024
_PIECE: Final = 1 << 20
_STARTXREF: Final = re.compile(rb"startxref")
# The trial is thrown away, so any time will do.
_ANY_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TakenIn:
    """What a PDF is, as far as signing it is concerned."""

    pages: int
    # Names of the fields that carry a signature, in the order in which they were made.
    signatures: tuple[str, ...]
    # The file to sign is the output; without it the source as it came, because it carries signatures.
    rewritten: bool
    notices: frozenset[Notice]


def take_in(source: IO[bytes], output: IO[bytes], *, keep_fields: bool) -> TakenIn:
    """Judge a PDF and, unless it is signed, write it to `output` as one revision of what its pages show.

    Both are seekable; `output` is empty, and readable too. What acts by itself is taken away, fields of forms become
    part of the page unless `keep_fields`, and encryption that its owner lets go is taken off: each with a notice.
    What is returned has taken an invisible signature field on trial.

    Raises PdfRefused with the reason: no PDF, damaged, a password, over 100 MB, 2,000 pages or 200,000 objects, a form
    that only one program shows; of a signed file also over 60 revisions, active content, closed by an earlier signer.
    """
    _prescan(source)
    with _opened(source) as opened:
        _check_size(opened)
        acting = active_content.find(opened)
        signatures = _signatures(source, opened)
        if signatures:
            taken = _as_it_came(source, opened, signatures, acting)
        else:
            taken = _rewritten(opened, output, acting, keep_fields=keep_fields)
    _try(output if taken.rewritten else source)
    return taken


def normalise(pdf: bytes) -> bytes:
    """Return the PDF rewritten by `take_in`, its fields kept. Raises PdfRefused, for a signed one ALREADY_SIGNED."""
    output = BytesIO()
    if not take_in(BytesIO(pdf), output, keep_fields=True).rewritten:
        raise PdfRefused(PdfFault.ALREADY_SIGNED)
    return output.getvalue()


def _prescan(source: IO[bytes]) -> None:
    """Refuse by what can be told without a parser."""
    if source.seek(0, os.SEEK_END) > MAXIMUM_SIZE:
        raise PdfRefused(PdfFault.TOO_LARGE)
    source.seek(0)
    if b"%PDF-" not in source.read(_HEADER_WITHIN):
        raise PdfRefused(PdfFault.NOT_A_PDF)


@contextmanager
def _opened(source: IO[bytes]) -> Iterator[pikepdf.Pdf]:
    source.seek(0)
    with refusing(PdfFault.DAMAGED):
        try:
            opened = pikepdf.open(cast(BinaryIO, source), suppress_warnings=True)
        except pikepdf.PasswordError as error:
            raise PdfRefused(PdfFault.ENCRYPTED) from error
        with opened:
            yield opened


def _check_size(opened: pikepdf.Pdf) -> None:
    if int(opened.trailer.get("/Size", 0)) > _MOST_CLAIMED or len(opened.objects) > _MOST_OBJECTS:
        raise PdfRefused(PdfFault.TOO_COMPLEX)
    if len(opened.pages) > MAXIMUM_PAGES:
        raise PdfRefused(PdfFault.TOO_MANY_PAGES)


def _check_pages(pdf: IO[bytes]) -> int:
    """Return how many pages there are, all of them of a possible size."""
    pages = page_geometries(pdf)
    if not pages:
        raise PdfRefused(PdfFault.NO_PAGES)
    for page in pages:
        left, bottom, right, top = page.box
        if max(right - left, top - bottom) * page.user_unit > LARGEST_SIDE:
            raise PdfRefused(PdfFault.PAGE_TOO_LARGE)
    return len(pages)


def _as_it_came(
    source: IO[bytes], opened: pikepdf.Pdf, signatures: tuple[str, ...], acting: frozenset[Notice]
) -> TakenIn:
    if opened.is_encrypted:
        raise PdfRefused(PdfFault.ENCRYPTED)
    if _revisions(source) > MAXIMUM_REVISIONS:
        raise PdfRefused(PdfFault.TOO_MANY_REVISIONS)
    if acting:
        raise PdfRefused(PdfFault.ACTIVE_CONTENT)
    notices = set(warnings(opened, source))
    if not _reads_strictly(source):
        notices.add(Notice.READ_LENIENTLY)
    return TakenIn(_check_pages(source), signatures, rewritten=False, notices=frozenset(notices))


def _rewritten(opened: pikepdf.Pdf, output: IO[bytes], acting: frozenset[Notice], *, keep_fields: bool) -> TakenIn:
    notices = set(acting)
    if opened.is_encrypted:
        if not opened.allow.modify_other:
            raise PdfRefused(PdfFault.RESTRICTED)
        notices.add(Notice.DECRYPTED)
    if bool(opened.Root.get("/NeedsRendering", False)) and Notice.XFA_REMOVED in acting:
        # Its pages say no more than "please wait": what one reads is drawn by a program out of the XFA.
        raise PdfRefused(PdfFault.XFA_ONLY)
    if any("damaged" in one or "reconstruct" in one for one in opened.get_warnings()):
        notices.add(Notice.REPAIRED)
    active_content.remove(opened)
    if has_fields(opened) and not keep_fields:
        notices.add(_write_flat(opened, output))
    else:
        _write(opened, output)
    notices |= _seen_at_last(output)
    return TakenIn(_check_pages(output), (), rewritten=True, notices=frozenset(notices))


def _write(opened: pikepdf.Pdf, output: IO[bytes]) -> None:
    opened.remove_unreferenced_resources()
    opened.save(
        cast(BinaryIO, output),
        linearize=False,
        min_version="1.7",
        object_stream_mode=pikepdf.ObjectStreamMode.disable,
        encryption=False,
    )


def _write_flat(opened: pikepdf.Pdf, output: IO[bytes]) -> Notice:
    """Write the file without fields, or with them where it would not look the same; say which."""
    cleaned = BytesIO()
    _write(opened, cleaned)
    flat = flatten(cleaned.getvalue())
    if flat is None:
        output.write(cleaned.getvalue())
        return Notice.FORM_KEPT
    with pikepdf.open(BytesIO(flat)) as made:
        _write(made, output)
    return Notice.FORM_FLATTENED


def _seen_at_last(output: IO[bytes]) -> frozenset[Notice]:
    with _opened(output) as made:
        return warnings(made, output)


def _revisions(source: IO[bytes]) -> int:
    source.seek(0)
    found, tail = 0, b""
    while piece := source.read(_PIECE):
        found += len(_STARTXREF.findall(tail + piece))
        tail = piece[-len("startxref") + 1 :]
    return found


def _signatures(source: IO[bytes], opened: pikepdf.Pdf) -> tuple[str, ...]:
    """Return the fields that carry a signature. Raises PdfRefused: DAMAGED, CERTIFIED, LOCKED."""
    if not any("/ByteRange" in one for one in active_content.dictionaries(opened)):
        # Nothing that a signature is made of: the file may be too broken for pyHanko before it is rewritten.
        return ()
    with refusing(PdfFault.DAMAGED):
        reader = PdfFileReader(source, strict=False)
        if reader.encrypted:
            reader.decrypt(b"")
        found: list[EmbeddedPdfSignature] = list(reader.embedded_signatures)
        certification = read_certification_data(reader)
    if certification is not None and certification.permission is MDPPerm.NO_CHANGES:
        raise PdfRefused(PdfFault.CERTIFIED)
    for one in found:
        lock = one.fieldmdp
        if one.docmdp_level is MDPPerm.NO_CHANGES or (lock is not None and lock.action.value == "/All"):
            raise PdfRefused(PdfFault.LOCKED)
    return tuple(one.field_name for one in found)


def _reads_strictly(source: IO[bytes]) -> bool:
    try:
        with refusing(PdfFault.DAMAGED):
            reader = PdfFileReader(source, strict=True)
            return len(list(reader.embedded_signatures)) > 0
    except PdfRefused:
        return False


def _try(pdf: IO[bytes]) -> None:
    """Put an invisible signature field into the file and forget it. Raises PdfRefused(UNSIGNABLE) if none fits."""
    try:
        prepare(pdf, certificate_der=b"", now=_ANY_TIME)
    except PdfRefused as error:
        raise PdfRefused(PdfFault.UNSIGNABLE if error.fault is PdfFault.DAMAGED else error.fault) from error
