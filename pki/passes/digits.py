"""A pass as decimal digits: the densest text of a QR code that no keyboard layout or input method can change.

`79`, one digit for the form, then the bytes as one number with its leading zeros kept.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Final

from pki.errors import PassRejected
from pki.passes.cose import LONGEST_PASS
from pki.passes.faults import PassFault

PREFIX: Final = "79"


class Form(StrEnum):
    """What the bytes are: a pass, the claim on a document (pki/document_claim), a pass with a changing code."""

    PASS = "1"  # noqa: S105  a digit
    CLAIM = "2"
    ROTATING = "3"


LONGEST: Final = {Form.PASS: LONGEST_PASS, Form.CLAIM: 192, Form.ROTATING: LONGEST_PASS + 6}
_DIGITS_OF: Final = {size: math.ceil(size * 8 * math.log10(2)) for size in range(1, max(LONGEST.values()) + 1)}
_SIZE_OF: Final = {digits: size for size, digits in _DIGITS_OF.items()}


def encode(token: bytes, form: Form = Form.PASS) -> str:
    """Return the digits of a token of 1 to `LONGEST` bytes. Raises PassRejected(MALFORMED) for another length."""
    if not 0 < len(token) <= LONGEST[form]:
        raise PassRejected(PassFault.MALFORMED)
    return f"{PREFIX}{form}{int.from_bytes(token, 'big'):0{_DIGITS_OF[len(token)]}}"


def decode(digits: str, form: Form = Form.PASS) -> bytes:
    """Return the token. Raises PassRejected: NOT_OURS for another kind of code, MALFORMED for a damaged one of ours."""
    if not digits.startswith(PREFIX) or not (digits.isascii() and digits.isdigit()):
        raise PassRejected(PassFault.NOT_OURS)
    body = digits[len(PREFIX) + 1 :]
    size = _SIZE_OF.get(len(body), 0)
    if digits[len(PREFIX) : len(PREFIX) + 1] != form or not 0 < size <= LONGEST[form]:
        raise PassRejected(PassFault.MALFORMED)
    number = int(body)
    if number >> (8 * size):
        raise PassRejected(PassFault.MALFORMED)
    return number.to_bytes(size, "big")
