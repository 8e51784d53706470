"""A pass as decimal digits: the densest text of a QR code that no keyboard layout or input method can change.

`79`, one digit for the form, then the bytes as one number with its leading zeros kept.
"""

from __future__ import annotations

import math
from typing import Final

from pki.errors import PassRejected
from pki.passes.cose import LONGEST_PASS
from pki.passes.faults import PassFault

PREFIX: Final = "79"
FORM: Final = "1"
_DIGITS_OF: Final = {size: math.ceil(size * 8 * math.log10(2)) for size in range(1, LONGEST_PASS + 1)}
_SIZE_OF: Final = {digits: size for size, digits in _DIGITS_OF.items()}


def encode(token: bytes) -> str:
    """Return the digits of a token of 1 to 128 bytes. Raises PassRejected(MALFORMED) for another length."""
    if len(token) not in _DIGITS_OF:
        raise PassRejected(PassFault.MALFORMED)
    return f"{PREFIX}{FORM}{int.from_bytes(token, 'big'):0{_DIGITS_OF[len(token)]}}"


def decode(digits: str) -> bytes:
    """Return the token. Raises PassRejected: NOT_OURS for another kind of code, MALFORMED for a damaged one of ours."""
    if not digits.startswith(PREFIX) or not (digits.isascii() and digits.isdigit()):
        raise PassRejected(PassFault.NOT_OURS)
    body = digits[len(PREFIX) + 1 :]
    if digits[len(PREFIX) : len(PREFIX) + 1] != FORM or len(body) not in _SIZE_OF:
        raise PassRejected(PassFault.MALFORMED)
    number, size = int(body), _SIZE_OF[len(body)]
    if number >> (8 * size):
        raise PassRejected(PassFault.MALFORMED)
    return number.to_bytes(size, "big")
