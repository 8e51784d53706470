"""Until when an algorithm is trusted in proofs that must last, as a table that is kept current by people.

Source: NIST IR 8547 (initial public draft, November 2024), table 2: elliptic curves and RSA of 128 bit and more are
disallowed after 2035, RSA of 112 bit is deprecated after 2030; SHA-2 and SHA-3 have no end. ETSI TS 119 312 names no
date so far. A proof is renewed before its algorithm ends, with one that lasts longer.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

_FIRST_DAY_AFTER_2030: Final = datetime(2031, 1, 1, tzinfo=UTC)
_FIRST_DAY_AFTER_2035: Final = datetime(2036, 1, 1, tzinfo=UTC)
# Not trusted at all, whenever it was used.
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ENDLESS: Final = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512"})
_STRONG_RSA: Final = 3072
_WEAKEST_RSA: Final = 2048
_SMALLEST_CURVE: Final = 256


def hash_trusted_until(name: str) -> datetime | None:
    """Return the moment from which a hash proves nothing any more; None for one without a known end."""
    return None if name in _ENDLESS else _NEVER


def key_trusted_until(key: object) -> datetime:
    """Return the moment from which signatures by such a public key prove nothing any more."""
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size >= _SMALLEST_CURVE:
        return _FIRST_DAY_AFTER_2035
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _STRONG_RSA:
        return _FIRST_DAY_AFTER_2035
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _WEAKEST_RSA:
        return _FIRST_DAY_AFTER_2030
    return _NEVER
