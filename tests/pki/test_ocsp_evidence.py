"""What an OCSP answer proves about a certificate: only what its issuer or the responder it named has signed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as pyca_ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pki import ocsp
from pki.authority import Issuer
from pki.chains import PathVerdict, StatusEvidence
from pki.keys import Curve, SoftwareKey
from pki.ocsp import CertStatus, SingleStatus, build_response
from pki.revocation import RevocationReason
from pki.status_evidence import Good, find_status
from tests.factories import pdfs
from tests.factories import pki as factory
from tests.factories.paths import NOW, OFFICIALS, judge, made, root_list


@pytest.fixture(scope="module")
def leaf() -> factory.Leaf:
    return pdfs.signer()


def answer(leaf: factory.Leaf, status: CertStatus = CertStatus.GOOD, **changes: Any) -> bytes:
    issuer = changes.pop("issuer", leaf.issuer)
    name = changes.pop("hash_name", ocsp.HashName.SHA1)
    serial_number = changes.pop("serial_number", leaf.certificate.serial_number)
    builder = changes.pop("responder", None) or factory.responder(OFFICIALS)
    revoked = {"revocation_time": factory.NOW, "reason": RevocationReason.KEY_COMPROMISE}
    details = revoked if status is CertStatus.REVOKED else {}
    cert_id = ocsp_cert_id(issuer.certificate_der, name, serial_number)
    return build_response(
        [SingleStatus(cert_id, status, **details)],
        responder=builder.as_issuer if isinstance(builder, factory.Leaf) else builder,
        now=changes.pop("now", factory.NOW),
        lifetime=timedelta(days=1),
        nonce=None,
    )


def ocsp_cert_id(issuer_der: bytes, name: ocsp.HashName, serial_number: int) -> ocsp.CertId:
    """Return the CertID as it comes out of a request."""
    algorithm = hashes.SHA1() if name is ocsp.HashName.SHA1 else hashes.SHA256()
    facts = ocsp.issuer_id(issuer_der, name)
    request = (
        pyca_ocsp.OCSPRequestBuilder()
        .add_certificate_by_hash(facts.name_hash, facts.key_hash, serial_number, algorithm)
        .build()
    )
    return ocsp.parse_request(request.public_bytes(Encoding.DER)).cert_ids[0]


def with_answer(*answers_der: bytes) -> StatusEvidence:
    return StatusEvidence((root_list(),), answers_der)


@pytest.mark.parametrize("name", list(ocsp.HashName))
def test_an_answer_of_the_named_responder_proves_good(leaf: factory.Leaf, name: ocsp.HashName) -> None:
    assert judge(leaf.certificate_der, evidence=with_answer(answer(leaf, hash_name=name))).verdict is PathVerdict.VALID


def test_an_answer_may_say_revoked_since_when_and_why(leaf: factory.Leaf) -> None:
    result = judge(leaf.certificate_der, evidence=with_answer(answer(leaf, CertStatus.REVOKED)))
    assert result.verdict is PathVerdict.REVOKED
    assert result.revocation is not None
    assert (result.revocation.time, result.revocation.reason) == (factory.NOW, "keyCompromise")


def test_an_answer_by_the_authority_itself_counts(leaf: factory.Leaf) -> None:
    assert (
        judge(leaf.certificate_der, evidence=with_answer(answer(leaf, responder=leaf.issuer))).verdict
        is PathVerdict.VALID
    )


def test_an_answer_made_later_speaks_about_an_earlier_moment(leaf: factory.Leaf) -> None:
    later = StatusEvidence((root_list(NOW),), (answer(leaf, now=NOW + timedelta(minutes=5)),))
    assert judge(leaf.certificate_der, evidence=later, at=NOW).verdict is PathVerdict.VALID


def responder(*extensions: tuple[x509.ExtensionType, bool], issuer: Issuer | None = None) -> Issuer:
    key = factory.key("responder by hand")
    above = issuer or factory.authority(OFFICIALS)
    return Issuer(made(*extensions, key=key, issuer=above), key)


SIGNS_ANSWERS = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False)
NO_CHECK = (x509.OCSPNoCheck(), False)


def test_an_answer_counts_only_from_whom_the_authority_named(leaf: factory.Leaf) -> None:
    def verdict(by: Issuer) -> PathVerdict:
        return judge(leaf.certificate_der, evidence=with_answer(answer(leaf, responder=by))).verdict

    assert verdict(responder(SIGNS_ANSWERS, NO_CHECK)) is PathVerdict.VALID
    assert verdict(responder(SIGNS_ANSWERS)) is PathVerdict.STATUS_UNKNOWN
    assert verdict(responder(NO_CHECK)) is PathVerdict.STATUS_UNKNOWN
    other_use = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
    assert verdict(responder(other_use, NO_CHECK)) is PathVerdict.STATUS_UNKNOWN
    foreign = factory.authority(OFFICIALS, "foreign")
    assert verdict(responder(SIGNS_ANSWERS, NO_CHECK, issuer=foreign)) is PathVerdict.STATUS_UNKNOWN


def test_an_answer_whose_signature_was_made_by_another_key_proves_nothing(leaf: factory.Leaf) -> None:
    certificate = responder(SIGNS_ANSWERS, NO_CHECK).certificate_der
    wrong = Issuer(certificate, factory.key("responder by hand"))
    object.__setattr__(wrong, "key", SoftwareKey.generate(Curve.P256))
    assert (
        judge(leaf.certificate_der, evidence=with_answer(answer(leaf, responder=wrong))).verdict
        is PathVerdict.STATUS_UNKNOWN
    )


def test_answers_that_do_not_speak_about_the_certificate_prove_nothing(leaf: factory.Leaf) -> None:
    useless = [
        b"junk",
        ocsp.error_response(ocsp.OcspError.TRY_LATER),
        answer(leaf, CertStatus.UNKNOWN),
        answer(leaf, serial_number=4),
        answer(leaf, issuer=factory.authority(OFFICIALS, "foreign")),
        answer(leaf, now=factory.NOW - timedelta(days=2)),
    ]
    assert judge(leaf.certificate_der, evidence=with_answer(*useless)).verdict is PathVerdict.STATUS_UNKNOWN


def test_a_responder_whose_certificate_was_not_valid_then_proves_nothing(leaf: factory.Leaf) -> None:
    before = factory.NOW - timedelta(minutes=1)
    early = answer(leaf, responder=responder(SIGNS_ANSWERS, NO_CHECK), now=before)
    assert judge(leaf.certificate_der, evidence=with_answer(early)).verdict is PathVerdict.STATUS_UNKNOWN


PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def foreign_pair(key: PrivateKey) -> tuple[x509.Certificate, x509.Certificate]:
    """Return an authority of another house with that key, and a certificate that it issued."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")])
    own = factory.key("made").public_key
    algorithm = hashes.SHA256() if isinstance(key, rsa.RSAPrivateKey) else None
    above, below = (
        x509.CertificateBuilder(name, name, public, number, factory.NOW, factory.NOW + timedelta(days=9)).sign(
            key, algorithm
        )
        for public, number in ((key.public_key(), 1), (own, 2))
    )
    return above, below


def foreign_evidence(key: PrivateKey, above: x509.Certificate, below: x509.Certificate) -> tuple[bytes, bytes]:
    """Return a list and an answer that call `below` good, signed with `key`."""
    end = factory.NOW + timedelta(days=1)
    algorithm = hashes.SHA256() if isinstance(key, rsa.RSAPrivateKey) else None
    crl = x509.CertificateRevocationListBuilder(above.subject, factory.NOW, end).sign(key, algorithm)
    response = (
        pyca_ocsp.OCSPResponseBuilder()
        .add_response(below, above, hashes.SHA256(), pyca_ocsp.OCSPCertStatus.GOOD, factory.NOW, end, None, None)
        .responder_id(pyca_ocsp.OCSPResponderEncoding.HASH, above)
        .sign(key, algorithm)
    )
    return crl.public_bytes(Encoding.DER), response.public_bytes(Encoding.DER)


def test_an_authority_with_an_rsa_key_is_understood_in_both_kinds_of_evidence() -> None:
    key = rsa.generate_private_key(65537, 2048)
    above, below = foreign_pair(key)
    crl, response = foreign_evidence(key, above, below)
    for evidence in (StatusEvidence((crl,)), StatusEvidence((), (response,))):
        assert isinstance(find_status(below, above, evidence, at=NOW), Good)


def test_an_authority_with_a_key_that_we_do_not_know_proves_nothing() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    above, below = foreign_pair(key)
    crl, response = foreign_evidence(key, above, below)
    assert find_status(below, above, StatusEvidence((crl,), (response,)), at=NOW) is None


def test_an_answer_signed_with_an_algorithm_of_another_key_proves_nothing() -> None:
    key, stranger = rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()
    above, below = foreign_pair(key)
    response = (
        pyca_ocsp.OCSPResponseBuilder()
        .add_response(below, above, hashes.SHA256(), pyca_ocsp.OCSPCertStatus.GOOD, factory.NOW, NOW, None, None)
        .responder_id(pyca_ocsp.OCSPResponderEncoding.HASH, foreign_pair(stranger)[0])
        .sign(stranger, None)
    )
    evidence = StatusEvidence((), (response.public_bytes(Encoding.DER),))
    assert find_status(below, above, evidence, at=NOW) is None


def test_an_answer_with_a_critical_extension_proves_nothing() -> None:
    key = rsa.generate_private_key(65537, 2048)
    above, below = foreign_pair(key)
    for critical in (False, True):
        response = (
            pyca_ocsp.OCSPResponseBuilder()
            .add_response(below, above, hashes.SHA256(), pyca_ocsp.OCSPCertStatus.GOOD, factory.NOW, NOW, None, None)
            .responder_id(pyca_ocsp.OCSPResponderEncoding.HASH, above)
            .add_extension(x509.OCSPNonce(b"12345678"), critical)
            .sign(key, hashes.SHA256())
        )
        found = find_status(below, above, StatusEvidence((), (response.public_bytes(Encoding.DER),)), at=NOW)
        assert (found is None) is critical
