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
_PASSES: Final = b"kyvao pass v1"
_LETTERS: Final = b"kyvao letter v1"


@dataclass(frozen=True)
class Shown:
    """The digits of the code, the token in the address of the guest's page, and what is said at the desk."""

    digits: str
    page_token: str
    # Empty in passes that were made before there were such codes.
    desk_code: str = ""


def seal(settings: Settings, pass_id: UUID, shown: Shown) -> bytes:
    """Return the nonce and the ciphertext."""
    text = json.dumps([shown.digits, shown.page_token, shown.desk_code]).encode()
    return _encrypted(_key(settings), text, pass_id)


def open_sealed(settings: Settings, pass_id: UUID, sealed: bytes) -> Shown:
    """Return what was sealed for this pass. Raises NotFound if it was sealed for another or under another secret."""
    return Shown(*json.loads(_decrypted(_key(settings), sealed, pass_id)))


def seal_letter(settings: Settings, pass_id: UUID, pdf: bytes) -> bytes:
    """Return a letter's file encrypted: the code of the pass stands in it."""
    return _encrypted(_key(settings, _LETTERS), pdf, pass_id)


def open_letter(settings: Settings, pass_id: UUID, sealed: bytes) -> bytes:
    """Return the letter's file. Raises NotFound as `open_sealed` does."""
    return _decrypted(_key(settings, _LETTERS), sealed, pass_id)


def _encrypted(key: bytes, content: bytes, pass_id: UUID) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, pass_id.bytes)


def _decrypted(key: bytes, sealed: bytes, pass_id: UUID) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], pass_id.bytes)
    except InvalidTag as error:
        raise NotFound(_l("This invitation can no longer be shown."), _l("Ask the host for a new one.")) from error


def _key(settings: Settings, purpose: bytes = _PASSES) -> bytes:
    return HKDF(SHA256(), 32, None, purpose).derive(settings.secret_key.encode())
