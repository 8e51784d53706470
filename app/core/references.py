"""The short reference that a person can read out on the phone and that every log line of the request carries."""

from __future__ import annotations

import secrets
from typing import Final

# Crockford's alphabet: no I, L, O, U, so that nothing is misread.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference() -> str:
    """Return a reference such as `7F3K-22QX` (40 random bits)."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"
