"""What must be shown again (a guest's code, the address of their page) kept encrypted, bound to its row."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Shown:
    """The digits of the code, and the token in the address of the guest's page."""

    digits: str
    page_token: str


def seal(settings: Settings, pass_id: UUID, shown: Shown) -> bytes:
    """Return the nonce and the ciphertext."""
    nonce = secrets.token_bytes(_NONCE)
    text = json.dumps([shown.digits, shown.page_token]).encode()
    return nonce + AESGCM(_key(settings)).encrypt(nonce, text, pass_id.bytes)


def open_sealed(settings: Settings, pass_id: UUID, sealed: bytes) -> Shown:
    """Return what was sealed for this pass. Raises NotFound if it was sealed for another or under another secret."""
    try:
        text = AESGCM(_key(settings)).decrypt(sealed[:_NONCE], sealed[_NONCE:], pass_id.bytes)
    except InvalidTag as error:
        raise NotFound(_l("This invitation can no longer be shown."), _l("Ask the host for a new one.")) from error
    digits, page_token = json.loads(text)
    return Shown(digits, page_token)


def _key(settings: Settings) -> bytes:
    return HKDF(SHA256(), 32, None, b"kyvao pass v1").derive(settings.secret_key.encode())
