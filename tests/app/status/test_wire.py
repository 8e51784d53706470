"""The quick way through OCSP says what the careful one says, and makes the same bytes."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from app.status.answer_file import GOOD, REVOKED
from app.status.lookups import UNKNOWN
from app.status.wire import Composer, Quick, Said, prefix_of, quick
from pki import der, oids
from pki.authority import Issuer
from pki.names import ServiceName
from pki.ocsp import (
    CertId,
    CertStatus,
    HashName,
    IssuerId,
    SingleStatus,
    build_response,
    issuer_id,
    parse_request,
)
from pki.profiles import ProfileName
from pki.revocation import RevocationReason
from tests.factories.pki import CITY, certify

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SERIAL = bytes(range(1, 19))
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def responder() -> Issuer:
    leaf = certify(ProfileName.OCSP_RESPONDER, ServiceName("OCSP", CITY), issuer=ProfileName.ISSUING_CITIZENS)
    return leaf.as_issuer


@pytest.fixture(scope="module")
def issuer(responder: Issuer) -> IssuerId:
    return issuer_id(responder.certificate_der, HashName.SHA1)


def request(prefix: bytes, serial: bytes, nonce: bytes | None) -> bytes:
    asked = der.sequence(der.sequence(der.sequence(prefix, der.encode(der.INTEGER, serial))))
    if nonce is not None:
        extension = der.extension(oids.OCSP_NONCE, der.octet_string(nonce))
        asked += der.explicit(2, der.sequence(extension))
    return der.sequence(der.sequence(asked))


@pytest.mark.parametrize("nonce", [None, b"n", b"n" * 16, b"n" * 32])
@pytest.mark.parametrize("serial", [b"\x01", SERIAL, b"\x7f" * 20])
def test_the_common_forms_are_read_the_quick_way(issuer: IssuerId, serial: bytes, nonce: bytes | None) -> None:
    found = quick(request(prefix_of(issuer), serial, nonce))
    assert found == Quick(prefix_of(issuer), serial, der.octet_string(nonce) if nonce else None)


@pytest.mark.parametrize("serial", [b"", b"\x00\x81", b"\x80", b"\x01" * 21])
def test_an_unusual_serial_number_goes_the_careful_way(issuer: IssuerId, serial: bytes) -> None:
    assert quick(request(prefix_of(issuer), serial, None)) is None


@pytest.mark.parametrize("seed", range(4))
def test_what_is_read_quickly_is_read_alike_with_care(issuer: IssuerId, seed: int) -> None:
    source, read = random.Random(seed), 0
    for base in (request(prefix_of(issuer), SERIAL, None), request(prefix_of(issuer), SERIAL, b"n" * 32)):
        for _ in range(3000):
            changed = spoilt(base, source)
            found = quick(changed)
            if found is not None and found.prefix == prefix_of(issuer):
                careful = parse_request(changed)
                cert_id = der.sequence(found.prefix, der.encode(der.INTEGER, found.serial))
                assert [one.der for one in careful.cert_ids] == [cert_id]
                assert careful.nonce == found.nonce
                read += 1
    assert read > 100


def spoilt(base: bytes, source: random.Random) -> bytes:
    changed = bytearray(base)
    for _ in range(source.choice((0, 1, 1, 2))):
        place = source.randrange(len(changed))
        kind = source.randrange(3)
        if kind == 0:
            changed[place] = source.randrange(256)
        elif kind == 1:
            del changed[place]
        else:
            changed.insert(place, source.randrange(256))
    return bytes(changed)


@pytest.mark.parametrize("nonce", [None, b"\x04\x01n", b"\x04\x20" + b"n" * 32])
@pytest.mark.parametrize(
    ("said", "status"),
    [
        ((GOOD, 0, 0), CertStatus.GOOD),
        ((UNKNOWN, 0, 0), CertStatus.UNKNOWN),
        ((REVOKED, 0, -60), CertStatus.REVOKED),
        ((REVOKED, 6, -60), CertStatus.REVOKED),
    ],
)
def test_an_answer_has_the_bytes_of_the_librarys(
    responder: Issuer, issuer: IssuerId, said: tuple[int, int, int], status: CertStatus, nonce: bytes | None
) -> None:
    at = int(NOW.timestamp())
    kind, reason, ago = said
    ours = Said(kind, reason, at + ago if ago else 0, at, at + 3600)
    composer = Composer(responder, b"")
    data = composer.to_be_signed(prefix_of(issuer), SERIAL, ours, nonce)
    signature = composer.sign(data)
    cert_id = CertId(issuer, int.from_bytes(SERIAL, "big"), der.sequence(prefix_of(issuer), der.integer(_number())))
    single = SingleStatus(cert_id, status, NOW + timedelta(seconds=ago), RevocationReason(reason))
    known = Issuer(responder.certificate_der, Known(responder, data, signature))
    theirs = build_response([single], responder=known, now=NOW, lifetime=HOUR, nonce=nonce)
    assert composer.response(data, signature) == theirs


def _number() -> int:
    return int.from_bytes(SERIAL, "big")


class Known:
    """A key that signs one thing, as it was signed before: ECDSA signatures differ each time."""

    def __init__(self, responder: Issuer, data: bytes, signature: bytes) -> None:
        self.public_key, self._data, self._signature = responder.key.public_key, data, signature

    def sign(self, data: bytes, *, hash: object = None) -> bytes:  # noqa: A002  the field's word
        del hash
        assert data == self._data
        return self._signature
