"""Citizen numbers (the twelve digits of the CCCD): checked, then kept only as a keyed hash that finds the person again.

Twelve digits can be tried out in minutes, so a hash without a key would be the number itself.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import cache
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.core.settings import Settings

_DIGITS: Final = 12
# Province of birth registration (Circular 59/2021/TT-BCA, annex): 001 to 096.
_PROVINCES: Final = range(1, 97)


def read_number(text: str) -> str | None:
    """Return the twelve digits of a citizen number as typed (spaces and dots allowed), or None if it is not one."""
    digits = text.replace(" ", "").replace(".", "").replace("\u00a0", "")
    if len(digits) != _DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    return digits if int(digits[:3]) in _PROVINCES else None


def index_of(settings: Settings, number: str) -> bytes:
    """Return the index under which a person with this number is found: HMAC-SHA-256, 32 bytes."""
    return hmac.digest(_key(settings.number_key), number.encode("ascii"), hashlib.sha256)


@cache
def _key(secret: str) -> bytes:
    derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"kyvao citizen number index 1")
    return derive.derive(secret.encode())
