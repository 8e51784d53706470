"""Taking in PDFs from outside: what is in them, whether they can be signed, and one rewriting before signing.

Hostile files cost time and memory: call this in a limited process. Shadow attacks are prepared before a file is
signed, as objects nobody sees yet; a rewriting that keeps only what is reachable takes them away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import pikepdf
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature, read_certification_data

from pki.errors import PdfRefused
from pki.pades.boundary import refusing
from pki.pades.faults import PdfFault
from pki.pades.geometry import page_geometries
from pki.pades.placement import PageGeometry

MAXIMUM_SIZE: Final = 25 * 1024 * 1024
MAXIMUM_PAGES: Final = 2_000
MAXIMUM_REVISIONS: Final = 60
# The largest page that ISO 32000-1, annex C allows, in points.
LARGEST_SIDE: Final = 14_400
# A cross-reference that claims more objects than this costs minutes to read (measured).
_MAXIMUM_OBJECTS: Final = 1_000_000
_MOST_LOOKED_AT: Final = 100_000
_DEEPEST: Final = 40
_ACTIVE: Final = frozenset(
    {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToE", "/Rendition", "/RichMediaExecute"}
)
_DECLARED_SIZE: Final = re.compile(rb"/Size\s+(\d{7,})")
_STARTXREF: Final = re.compile(rb"startxref")


@dataclass(frozen=True)
class Intake:
    """What a PDF is, as far as signing it is concerned."""

    pages: tuple[PageGeometry, ...]
    # Names of the fields that carry a signature, in the order in which they were made.
    signatures: tuple[str, ...]
    revisions: int


def inspect(pdf: bytes) -> Intake:
    """Return what is in a PDF that can be signed. Raises PdfRefused with the reason for one that cannot.

    Encrypted, damaged, over 25 MB, 2,000 pages or 60 revisions, with active content, or closed by an earlier signer.
    """
    _prescan(pdf)
    with refusing(PdfFault.DAMAGED):
        _check_whole(pdf)
        pages = page_geometries(pdf)
        _check_pages(pages)
        signatures = _signatures(pdf)
    return Intake(pages, tuple(one.field_name for one in signatures), len(_STARTXREF.findall(pdf)))


def normalise(pdf: bytes) -> bytes:
    """Return the PDF rewritten as one revision of what can be reached from its pages. Raises PdfRefused.

    For files without signatures only, since any rewriting breaks a signature: else PdfRefused(ALREADY_SIGNED).
    """
    with refusing(PdfFault.DAMAGED):
        if _signatures(pdf):
            raise PdfRefused(PdfFault.ALREADY_SIGNED)
    with refusing(PdfFault.DAMAGED), pikepdf.open(BytesIO(pdf)) as opened:
        opened.remove_unreferenced_resources()
        for name in ("/OpenAction", "/AA"):
            if name in opened.Root:
                del opened.Root[name]
        buffer = BytesIO()
        opened.save(buffer, linearize=False, min_version="1.7", object_stream_mode=pikepdf.ObjectStreamMode.disable)
        return buffer.getvalue()


def _prescan(pdf: bytes) -> None:
    """Refuse by what can be told without a parser."""
    if len(pdf) > MAXIMUM_SIZE:
        raise PdfRefused(PdfFault.TOO_LARGE)
    if b"%PDF-" not in pdf[:1024]:
        raise PdfRefused(PdfFault.NOT_A_PDF)
    if len(_STARTXREF.findall(pdf)) > MAXIMUM_REVISIONS:
        raise PdfRefused(PdfFault.TOO_MANY_REVISIONS)
    if any(int(size) > _MAXIMUM_OBJECTS for size in _DECLARED_SIZE.findall(pdf)):
        raise PdfRefused(PdfFault.TOO_COMPLEX)


def _check_whole(pdf: bytes) -> None:
    try:
        opened = pikepdf.open(BytesIO(pdf))
    except pikepdf.PasswordError as error:
        raise PdfRefused(PdfFault.ENCRYPTED) from error
    with opened:
        if opened.is_encrypted:
            raise PdfRefused(PdfFault.ENCRYPTED)
        if len(opened.pages) > MAXIMUM_PAGES:
            raise PdfRefused(PdfFault.TOO_MANY_PAGES)
        if len(opened.objects) > _MOST_LOOKED_AT:
            raise PdfRefused(PdfFault.TOO_COMPLEX)
        if any(_is_active(one) for one in opened.objects):
            raise PdfRefused(PdfFault.ACTIVE_CONTENT)


def _is_active(one: object, depth: int = 0) -> bool:
    """Say whether an object, or one written inside it, is an action that runs something or an XFA form."""
    if depth > _DEEPEST:
        return True
    if isinstance(one, pikepdf.Array):
        return any(_is_active(item, depth + 1) for item in one.as_list() if _is_inside(item))
    if not isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
        return False
    if "/JS" in one or "/XFA" in one or str(one.get("/S", "")) in _ACTIVE:
        return True
    return any(_is_active(value, depth + 1) for key, value in one.items() if key != "/Length" and _is_inside(value))


def _is_inside(value: object) -> bool:
    # What is referred to is an object of its own and looked at by itself.
    return isinstance(value, pikepdf.Object) and not value.is_indirect


def _check_pages(pages: tuple[PageGeometry, ...]) -> None:
    if not pages:
        raise PdfRefused(PdfFault.NO_PAGES)
    for page in pages:
        left, bottom, right, top = page.box
        if max(right - left, top - bottom) * page.user_unit > LARGEST_SIDE:
            raise PdfRefused(PdfFault.PAGE_TOO_LARGE)


def _signatures(pdf: bytes) -> list[EmbeddedPdfSignature]:
    reader = PdfFileReader(BytesIO(pdf), strict=False)
    found = list(reader.embedded_signatures)
    certification = read_certification_data(reader)
    if certification is not None and certification.permission is MDPPerm.NO_CHANGES:
        raise PdfRefused(PdfFault.CERTIFIED)
    for one in found:
        lock = one.fieldmdp
        if one.docmdp_level is MDPPerm.NO_CHANGES or (lock is not None and lock.action.value == "/All"):
            raise PdfRefused(PdfFault.LOCKED)
    return found
