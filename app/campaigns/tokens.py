"""The secret in an invitation's link: 128 random bits, found by their hash, kept sealed for letters printed later."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask_babel import lazy_gettext as _l

from app.core.errors import NotFound
from app.core.settings import Settings

_NONCE: Final = 12


def new_token() -> str:
    """Return 22 characters that hold 128 random bits."""
    return secrets.token_urlsafe(16)


def digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def seal(settings: Settings, invitation_id: UUID, token: str) -> bytes:
    """Return the nonce and the ciphertext, bound to the row that they stand in."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(_key(settings)).encrypt(nonce, token.encode(), invitation_id.bytes)


def open_sealed(settings: Settings, invitation_id: UUID, sealed: bytes) -> str:
    """Return the token. Raises NotFound if it was sealed for another row or under another secret, or is purged."""
    try:
        return AESGCM(_key(settings)).decrypt(sealed[:_NONCE], sealed[_NONCE:], invitation_id.bytes).decode()
    except (InvalidTag, ValueError) as error:
        raise NotFound(_l("This link can no longer be shown."), _l("Send the person a new link.")) from error


def address(settings: Settings, token: str) -> str:
    """Return the address that stands in the letter and in its code."""
    return f"{settings.web_url}/enrol/{token}"


def _key(settings: Settings) -> bytes:
    return HKDF(SHA256(), 32, None, b"kyvao enrolment v1").derive(settings.secret_key.encode())
