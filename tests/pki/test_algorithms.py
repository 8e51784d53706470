"""Until when algorithms are trusted in proofs that must last."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from pki.algorithms import hash_trusted_until, key_trusted_until

YEARS = [
    (ec.generate_private_key(ec.SECP256R1()), 2036),
    (ec.generate_private_key(ec.SECP384R1()), 2036),
    (ec.generate_private_key(ec.SECP192R1()), 1970),
    (rsa.generate_private_key(65537, 3072), 2036),
    (rsa.generate_private_key(65537, 2048), 2031),
    (rsa.generate_private_key(65537, 1024), 1970),
    (ed25519.Ed25519PrivateKey.generate(), 1970),
]


@pytest.mark.parametrize(("key", "year"), YEARS)
def test_a_key_is_trusted_until_the_day_of_its_kind_and_size(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, year: int
) -> None:
    assert key_trusted_until(key.public_key()).year == year


def test_hashes_of_the_second_and_third_family_have_no_end_and_the_first_was_never_good() -> None:
    assert hash_trusted_until("sha256") is None
    assert hash_trusted_until("sha3_512") is None
    ended = hash_trusted_until("sha1")
    assert ended is not None
    assert ended.year == 1970
