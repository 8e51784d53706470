"""Claims of documents, and the keys that sign them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import pypdfium2
from PIL import Image

from pki import document_claim
from pki.authority import spki
from pki.claim_mark import QrMark, page_address
from pki.document_claim import ClaimKeys, ClaimSigner, DocumentClaim, DocumentClass
from pki.passes.signed_list import Edition
from tests.factories import pki
from tests.factories.passes import public

NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
KID = b"\x01\x02\x03\x04"
CLAIM = DocumentClaim(
    bytes(range(8)), "123/QĐ-UBND", date(2026, 11, 23), bytes(range(32)), 123_456, DocumentClass.RESTRICTED
)
ADDRESS = page_address("https://kyvao.songbiec.gov.vn")


def code(claim: DocumentClaim = CLAIM, *, key: str = "seal", kid: bytes = KID) -> str:
    return document_claim.sign(claim, kid=kid, key=pki.key(key))


def claim_signer(key: str = "seal", **changes: object) -> ClaimSigner:
    made = ClaimSigner(
        KID,
        spki(pki.key(key).public_key),
        "H99.02",
        "Sở Khoa học và Công nghệ",
        NOON - timedelta(days=10),
        NOON + timedelta(days=30),
    )
    return replace(made, **changes)


def keys(*signers: ClaimSigner, version: int = 1) -> ClaimKeys:
    """A list that was signed and read back."""
    return document_claim.verify_keys(keys_message(*signers, version=version), public("trust"))


def keys_message(*signers: ClaimSigner, version: int = 1) -> bytes:
    edition = Edition(version, NOON, NOON + timedelta(days=30))
    return document_claim.build_keys(edition, signers or [claim_signer()], pki.key("trust"))


def mark(claim: DocumentClaim = CLAIM) -> QrMark:
    return QrMark(ADDRESS, code(claim))


def picture(pdf: bytes, *, dpi: int, turn: int = 0) -> Image.Image:
    """What a printer would make of the first page, shown with that turn of the page."""
    with pypdfium2.PdfDocument(BytesIO(pdf)) as opened:
        # Fields are drawn only where the form was opened.
        opened.init_forms()
        bitmap = opened[0].render(scale=dpi / 72, rotation=turn)
        return bitmap.to_pil().convert("L")
