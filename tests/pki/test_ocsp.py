"""OCSP: what is asked is read strictly, what is answered another library reads the same way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as library
from hypothesis import given
from hypothesis import strategies as st

from pki import der, ocsp, oids
from pki.errors import OcspMalformed
from pki.keys.signing import check_signature
from pki.ocsp import CertId, CertStatus, HashName, OcspError, SingleStatus
from pki.profiles import ProfileName
from pki.revocation import RevocationReason
from tests.factories.pki import LAN, NOW, Leaf, certify, responder

HOUR = timedelta(hours=1)


@pytest.fixture(scope="session")
def lan() -> Leaf:
    return certify(ProfileName.CITIZEN_SIGNING, LAN)


def asked(leaf: Leaf, hash_: hashes.SHA1 | hashes.SHA256 | hashes.SHA512, nonce: bytes | None = None) -> bytes:
    """Return a request as another library writes it."""
    builder = library.OCSPRequestBuilder().add_certificate(leaf.certificate, leaf.issuer.certificate, hash_)
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def cert_id(serial: int = 5, name: bytes = b"n" * 20, key: bytes = b"k" * 20, oid: str = oids.SHA1) -> bytes:
    return der.sequence(
        der.sequence(der.oid(oid), der.NULL), der.octet_string(name), der.octet_string(key), der.integer(serial)
    )


def request(*cert_ids: bytes, before: bytes = b"", after: bytes = b"", signature: bytes = b"") -> bytes:
    """Return a request written by hand."""
    requests = der.sequence(*(der.sequence(one) for one in cert_ids))
    return der.sequence(der.sequence(before, requests, after), signature)


def extensions(*each: bytes) -> bytes:
    return der.explicit(2, der.sequence(*each))


@pytest.mark.parametrize(("hash_name", "hash_"), [(HashName.SHA1, hashes.SHA1()), (HashName.SHA256, hashes.SHA256())])
def test_a_request_names_issuer_and_serial_number(lan: Leaf, hash_name: HashName, hash_: hashes.SHA1 | hashes.SHA256):
    parsed = ocsp.parse_request(asked(lan, hash_))
    (one,) = parsed.cert_ids
    assert one.issuer == ocsp.issuer_id(lan.issuer.certificate_der, hash_name)
    assert one.serial_number == lan.certificate.serial_number
    assert parsed.nonce is None


def test_a_hash_that_nobody_uses_names_no_issuer(lan: Leaf):
    (one,) = ocsp.parse_request(asked(lan, hashes.SHA512())).cert_ids
    assert one.issuer is None


@pytest.mark.parametrize("length", [1, 32, 128])
def test_a_nonce_is_read_as_it_was_sent(lan: Leaf, length: int):
    parsed = ocsp.parse_request(asked(lan, hashes.SHA256(), b"n" * length))
    assert parsed.nonce == der.octet_string(b"n" * length)


@pytest.mark.parametrize("length", [0, 129])
def test_a_nonce_of_another_length_is_malformed(lan: Leaf, length: int):
    with pytest.raises(OcspMalformed):
        ocsp.parse_request(asked(lan, hashes.SHA256(), b"n" * length))


def test_twenty_certificates_may_be_asked_about_and_not_one_more():
    assert len(ocsp.parse_request(request(*map(cert_id, range(1, 21)))).cert_ids) == 20
    with pytest.raises(OcspMalformed):
        ocsp.parse_request(request(*map(cert_id, range(1, 22))))


def test_a_request_may_have_four_kilobytes_and_not_one_more():
    empty = len(request(cert_id(), before=der.explicit(1, der.octet_string(b"\x00" * 3000)))) - 3000
    most = ocsp.MAXIMUM_SIZE - empty
    assert ocsp.parse_request(request(cert_id(), before=der.explicit(1, der.octet_string(b"\x00" * most))))
    with pytest.raises(OcspMalformed):
        ocsp.parse_request(request(cert_id(), before=der.explicit(1, der.octet_string(b"\x00" * (most + 1)))))


def test_version_name_and_signature_of_the_requester_change_nothing():
    before = der.explicit(0, der.integer(0)) + der.explicit(1, der.octet_string(b"somebody"))
    signed = request(cert_id(), before=before, signature=der.explicit(0, der.sequence()))
    assert ocsp.parse_request(signed).cert_ids == ocsp.parse_request(request(cert_id())).cert_ids


def test_an_unknown_extension_is_passed_over_unless_it_is_critical():
    nonce = der.extension(oids.OCSP_NONCE, der.octet_string(b"n" * 16))
    other = der.extension("1.2.3.4", b"x")
    assert ocsp.parse_request(request(cert_id(), after=extensions(other))).nonce is None
    assert ocsp.parse_request(request(cert_id(), after=extensions(other, nonce))).nonce is not None
    with pytest.raises(OcspMalformed):
        ocsp.parse_request(request(cert_id(), after=extensions(nonce, der.extension("1.2.3.4", b"x", critical=True))))


MALFORMED = {
    "nothing": b"",
    "empty": der.sequence(),
    "three parts": der.sequence(der.sequence(), der.NULL, der.NULL),
    "no requests": der.sequence(der.sequence()),
    "empty list": request(),
    "empty request": der.sequence(der.sequence(der.sequence(der.sequence()))),
    "something behind the extensions": request(cert_id(), after=extensions() + der.NULL),
    "extensions under another tag": request(cert_id(), after=der.explicit(3, der.sequence())),
    "extensions without a list": request(cert_id(), after=der.explicit(2)),
    "an empty extension": request(cert_id(), after=extensions(der.sequence())),
    "three parts of a CertID": request(der.sequence(der.sequence(der.oid(oids.SHA1)), der.NULL, der.NULL)),
    "five parts of a CertID": request(der.sequence(*[der.NULL] * 5)),
    "a hash too short": request(cert_id(name=b"n" * 19)),
    "a hash of another kind": request(cert_id(oid=oids.SHA256)),
    "bytes behind": request(cert_id()) + b"\x00",
}


@pytest.mark.parametrize("case", list(MALFORMED))
def test_what_is_not_a_request_is_malformed(case: str):
    with pytest.raises(OcspMalformed):
        ocsp.parse_request(MALFORMED[case])


@given(st.data())
def test_a_damaged_request_is_read_or_malformed_and_nothing_else(data: st.DataObject):
    whole = request(cert_id(), after=extensions(der.extension(oids.OCSP_NONCE, der.octet_string(b"n" * 16))))
    damaged = bytearray(whole)
    damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        ocsp.parse_request(bytes(damaged))
    except OcspMalformed:
        return


def answer(lan: Leaf, status: SingleStatus, nonce: bytes | None = None) -> library.OCSPResponse:
    by = responder(ProfileName.ISSUING_CITIZENS)
    made = ocsp.build_response([status], responder=by.as_issuer, now=NOW, lifetime=HOUR, nonce=nonce)
    return library.load_der_ocsp_response(made)


def id_of(lan: Leaf) -> CertId:
    return ocsp.parse_request(asked(lan, hashes.SHA256())).cert_ids[0]


def test_a_good_answer_is_dated_signed_and_about_what_was_asked(lan: Leaf):
    read = answer(lan, SingleStatus(id_of(lan), CertStatus.GOOD))
    assert read.response_status is library.OCSPResponseStatus.SUCCESSFUL
    assert read.certificate_status is library.OCSPCertStatus.GOOD
    assert (read.this_update_utc, read.next_update_utc, read.produced_at_utc) == (NOW, NOW + HOUR, NOW)
    assert read.serial_number == lan.certificate.serial_number
    key = read.certificates[0].public_key()
    check_signature(key, read.signature, read.tbs_response_bytes)  # type: ignore[arg-type]  # an elliptic-curve key


@pytest.mark.parametrize("reason", [RevocationReason.KEY_COMPROMISE, RevocationReason.CERTIFICATE_HOLD])
def test_a_revoked_answer_says_when_and_why(lan: Leaf, reason: RevocationReason):
    read = answer(lan, SingleStatus(id_of(lan), CertStatus.REVOKED, NOW - HOUR, reason))
    assert read.certificate_status is library.OCSPCertStatus.REVOKED
    assert read.revocation_time_utc == NOW - HOUR
    assert read.revocation_reason is not None
    assert read.revocation_reason.name == reason.name.lower()


@pytest.mark.parametrize("reason", [None, RevocationReason.UNSPECIFIED])
def test_an_unspecified_reason_is_left_out(lan: Leaf, reason: RevocationReason | None):
    read = answer(lan, SingleStatus(id_of(lan), CertStatus.REVOKED, NOW, reason))
    assert read.revocation_reason is None


def test_a_serial_number_never_issued_is_unknown(lan: Leaf):
    read = answer(lan, SingleStatus(id_of(lan), CertStatus.UNKNOWN))
    assert read.certificate_status is library.OCSPCertStatus.UNKNOWN


def test_a_revoked_answer_without_its_time_is_not_made(lan: Leaf):
    with pytest.raises(OcspMalformed):
        answer(lan, SingleStatus(id_of(lan), CertStatus.REVOKED))


def test_a_nonce_comes_back_as_it_went(lan: Leaf):
    sent = ocsp.parse_request(asked(lan, hashes.SHA256(), b"n" * 32))
    read = answer(lan, SingleStatus(sent.cert_ids[0], CertStatus.GOOD), sent.nonce)
    assert read.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 32


def test_several_answers_keep_the_order_of_the_questions(lan: Leaf):
    asked_ids = ocsp.parse_request(request(cert_id(2), cert_id(1))).cert_ids
    statuses = [SingleStatus(one, CertStatus.UNKNOWN) for one in asked_ids]
    by = responder(ProfileName.ISSUING_CITIZENS)
    made = ocsp.build_response(statuses, responder=by.as_issuer, now=NOW, lifetime=HOUR, nonce=None)
    assert [one.serial_number for one in library.load_der_ocsp_response(made).responses] == [2, 1]


@pytest.mark.parametrize("error", list(OcspError))
def test_an_error_says_only_what_went_wrong(error: OcspError):
    assert library.load_der_ocsp_response(ocsp.error_response(error)).response_status.value == error
