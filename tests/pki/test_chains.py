"""Paths to explicit roots, judged at a moment: what is missing or unclear is never "valid"."""

from __future__ import annotations

from datetime import datetime, timedelta
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
from pki.chains import PathResult, PathVerdict, Purpose, StatusEvidence, TrustStore, validate_path
from pki.crl import build_crl
from pki.keys import Curve, SoftwareKey
from pki.ocsp import CertStatus, SingleStatus, build_response
from pki.profiles import ProfileName
from pki.revocation import RevocationReason, RevokedEntry, encode_entry
from pki.status_evidence import Good, find_status
from tests.factories import pdfs
from tests.factories import pki as factory

NOW = factory.NOW + timedelta(hours=1)
OFFICIALS = ProfileName.ISSUING_OFFICIALS
POINT = f"{factory.BASE}/crl/{OFFICIALS}/0.crl"


@pytest.fixture(scope="module")
def leaf() -> factory.Leaf:
    return pdfs.signer()


def judge(certificate_der: bytes, **changes: Any) -> PathResult:
    facts: dict[str, Any] = {
        "trust": pdfs.trust(),
        "evidence": pdfs.evidence(),
        "at": NOW,
        "purpose": Purpose.SIGNING,
        "extra_der": (factory.authority(OFFICIALS).certificate_der,),
        **changes,
    }
    return validate_path(certificate_der, **facts)


def root_list(now: datetime = factory.NOW) -> bytes:
    return build_crl(
        (),
        issuer=factory.root(),
        number=1,
        now=now,
        lifetime=timedelta(days=1),
        distribution_point=f"{factory.BASE}/crl/{ProfileName.ROOT}/0.crl",
        only_ca=True,
    )


def officials_list(
    *entries: bytes, issuer: Issuer | None = None, point: str = POINT, now: datetime = factory.NOW
) -> bytes:
    return build_crl(
        entries,
        issuer=issuer or factory.authority(OFFICIALS),
        number=1,
        now=now,
        lifetime=timedelta(days=1),
        distribution_point=point,
    )


def with_list(crl_der: bytes) -> StatusEvidence:
    return StatusEvidence((root_list(), crl_der))


def test_a_path_is_valid_and_named_from_the_end_up(leaf: factory.Leaf) -> None:
    result = judge(leaf.certificate_der)
    assert result.verdict is PathVerdict.VALID
    assert result.chain_der == (leaf.certificate_der, leaf.issuer.certificate_der)


def test_an_authority_of_the_trust_store_helps_as_well_as_one_from_the_signature(leaf: factory.Leaf) -> None:
    trust = TrustStore(pdfs.trust().roots_der, (leaf.issuer.certificate_der,))
    assert judge(leaf.certificate_der, trust=trust, extra_der=()).verdict is PathVerdict.VALID
    assert judge(leaf.certificate_der, extra_der=()).verdict is PathVerdict.UNTRUSTED


def test_no_roots_or_other_roots_are_untrusted(leaf: factory.Leaf) -> None:
    assert judge(leaf.certificate_der, trust=TrustStore(())).verdict is PathVerdict.UNTRUSTED
    assert judge(leaf.certificate_der, trust=pdfs.trust("foreign")).verdict is PathVerdict.UNTRUSTED


def test_an_authority_that_the_signature_brings_is_no_root(leaf: factory.Leaf) -> None:
    brought = (leaf.issuer.certificate_der, factory.root().certificate_der)
    assert judge(leaf.certificate_der, trust=pdfs.trust("foreign"), extra_der=brought).verdict is PathVerdict.UNTRUSTED


def test_validity_holds_to_its_last_second_and_not_one_more(leaf: factory.Leaf) -> None:
    certificate = leaf.certificate
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    second = timedelta(seconds=2)  # one more than the second that certvalidator tolerates

    def at(moment: datetime) -> PathVerdict:
        return judge(leaf.certificate_der, at=moment, evidence=pdfs.evidence(now=moment)).verdict

    assert (at(first), at(last)) == (PathVerdict.VALID, PathVerdict.VALID)
    assert (at(first - second), at(last + second)) == (PathVerdict.NOT_YET_VALID, PathVerdict.EXPIRED)


@pytest.mark.parametrize("junk", [b"", b"junk", b"\x30\x03\x02\x01\x01"])
def test_what_is_no_certificate_is_malformed(junk: bytes) -> None:
    assert judge(junk).verdict is PathVerdict.MALFORMED


def test_an_unreadable_authority_from_the_signature_is_malformed(leaf: factory.Leaf) -> None:
    assert judge(leaf.certificate_der, extra_der=(b"junk",)).verdict is PathVerdict.MALFORMED


def test_a_timestamp_unit_may_stamp_and_not_sign_and_an_official_the_other_way_round(leaf: factory.Leaf) -> None:
    unit = pdfs.timestamp_leaf()
    extra = (unit.issuer.certificate_der,)
    assert judge(unit.certificate_der, purpose=Purpose.TIMESTAMPING, extra_der=extra).verdict is PathVerdict.VALID
    assert judge(unit.certificate_der, extra_der=extra).verdict is PathVerdict.WRONG_PURPOSE
    assert judge(leaf.certificate_der, purpose=Purpose.TIMESTAMPING).verdict is PathVerdict.WRONG_PURPOSE


def test_an_authority_may_not_sign_documents() -> None:
    assert judge(factory.authority(OFFICIALS).certificate_der).verdict is PathVerdict.WRONG_PURPOSE


def made(*extensions: tuple[x509.ExtensionType, bool], key: Any = None, issuer: Issuer | None = None) -> bytes:
    """Return a certificate of another house with just these extensions, by itself or by `issuer`."""
    own = key or factory.key("made")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Made")])
    public = own.public_key if isinstance(own, SoftwareKey) else own.public_key()
    builder = x509.CertificateBuilder(
        issuer.certificate.subject if issuer else name, name, public, 77, factory.NOW, factory.NOW + timedelta(days=90)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    signer = issuer.key if issuer else own
    signer = signer.private_key if isinstance(signer, SoftwareKey) else signer
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(signer, algorithm).public_bytes(Encoding.DER)


def usage(**bits: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: bits.get(name, False) for name in names})


SIGNS = (usage(digital_signature=True), True)


@pytest.mark.parametrize(
    ("extensions", "verdict"),
    [
        ((), PathVerdict.WRONG_PURPOSE),
        (((usage(key_agreement=True), True),), PathVerdict.WRONG_PURPOSE),
        ((SIGNS, (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)), PathVerdict.WRONG_PURPOSE),
        ((SIGNS,), PathVerdict.UNTRUSTED),
        ((SIGNS, (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)), PathVerdict.UNTRUSTED),
    ],
    ids=["no usage", "key agreement", "server", "no extended usage", "e-mail"],
)
def test_key_usage_decides_before_trust(extensions: tuple[Any, ...], verdict: PathVerdict) -> None:
    assert judge(made(*extensions)).verdict is verdict


def test_a_root_that_signs_by_itself_has_nobody_who_answers_for_it() -> None:
    alone = made(SIGNS)
    assert judge(alone, trust=TrustStore((alone,))).verdict is PathVerdict.WRONG_PURPOSE


def test_status_is_asked_for_authorities_too(leaf: factory.Leaf) -> None:
    only_leaf = StatusEvidence((officials_list(),))
    assert judge(leaf.certificate_der, evidence=only_leaf).verdict is PathVerdict.STATUS_UNKNOWN


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(-1, PathVerdict.REVOKED), (0, PathVerdict.REVOKED), (1, PathVerdict.VALID)]
)
def test_a_revocation_counts_from_its_second_on_and_is_told_anyway(
    leaf: factory.Leaf, seconds: int, verdict: PathVerdict
) -> None:
    since = NOW + timedelta(seconds=seconds)
    result = judge(leaf.certificate_der, evidence=pdfs.evidence((leaf, since, RevocationReason.SUPERSEDED)))
    assert result.verdict is verdict
    assert result.revocation is not None
    assert (result.revocation.time, result.revocation.reason) == (since, "superseded")


def test_a_suspended_certificate_is_revoked_while_it_is_suspended(leaf: factory.Leaf) -> None:
    held = pdfs.evidence((leaf, factory.NOW, RevocationReason.CERTIFICATE_HOLD))
    result = judge(leaf.certificate_der, evidence=held)
    assert result.verdict is PathVerdict.REVOKED
    assert result.revocation is not None
    assert result.revocation.reason == "certificateHold"


def test_a_revocation_without_a_reason_is_unspecified(leaf: factory.Leaf) -> None:
    result = judge(leaf.certificate_der, evidence=pdfs.evidence((leaf, factory.NOW, RevocationReason.UNSPECIFIED)))
    assert result.revocation is not None
    assert result.revocation.reason == "unspecified"


def test_a_revoked_authority_ends_what_it_issued(leaf: factory.Leaf) -> None:
    serial_number = leaf.issuer.certificate.serial_number
    entry = encode_entry(RevokedEntry(serial_number, factory.NOW, RevocationReason.CA_COMPROMISE))
    roots = build_crl(
        [entry],
        issuer=factory.root(),
        number=2,
        now=factory.NOW,
        lifetime=timedelta(days=1),
        distribution_point=f"{factory.BASE}/crl/{ProfileName.ROOT}/0.crl",
        only_ca=True,
    )
    result = judge(leaf.certificate_der, evidence=StatusEvidence((roots, officials_list())))
    assert result.verdict is PathVerdict.REVOKED
    assert result.revocation is not None
    assert result.revocation.serial_number == serial_number


def test_the_newest_list_decides(leaf: factory.Leaf) -> None:
    entry = encode_entry(RevokedEntry(leaf.certificate.serial_number, factory.NOW, RevocationReason.SUPERSEDED))
    old, new = officials_list(), officials_list(entry, now=factory.NOW + timedelta(minutes=1))
    for order in ((old, new), (new, old)):
        assert (
            judge(leaf.certificate_der, evidence=StatusEvidence((root_list(), *order))).verdict is PathVerdict.REVOKED
        )


@pytest.mark.parametrize(
    "useless",
    [
        b"junk",
        officials_list(point=f"{factory.BASE}/crl/{OFFICIALS}/1.crl"),
        officials_list(issuer=factory.authority(OFFICIALS, "foreign")),
        officials_list(now=factory.NOW - timedelta(days=2)),
    ],
    ids=["junk", "another shard", "another key", "out of date"],
)
def test_a_list_that_does_not_speak_about_the_certificate_proves_nothing(leaf: factory.Leaf, useless: bytes) -> None:
    assert judge(leaf.certificate_der, evidence=with_list(officials_list())).verdict is PathVerdict.VALID
    assert judge(leaf.certificate_der, evidence=with_list(useless)).verdict is PathVerdict.STATUS_UNKNOWN


def test_a_list_made_later_speaks_about_an_earlier_moment(leaf: factory.Leaf) -> None:
    later = StatusEvidence((root_list(NOW), officials_list(now=NOW)))
    assert judge(leaf.certificate_der, at=NOW - timedelta(minutes=30), evidence=later).verdict is PathVerdict.VALID


def test_a_list_made_after_the_certificate_ended_proves_nothing_since_it_may_have_dropped_it(
    leaf: factory.Leaf,
) -> None:
    end = leaf.certificate.not_valid_after_utc
    at_end = StatusEvidence((root_list(end), officials_list(now=end)))
    after = StatusEvidence((root_list(end), officials_list(now=end + timedelta(seconds=1))))
    assert judge(leaf.certificate_der, evidence=at_end).verdict is PathVerdict.VALID
    assert judge(leaf.certificate_der, evidence=after).verdict is PathVerdict.STATUS_UNKNOWN


def list_by_hand(*extensions: tuple[x509.ExtensionType, bool]) -> bytes:
    """Return a list by our authority for officials in a form that we do not make ourselves."""
    issuer = factory.authority(OFFICIALS)
    assert isinstance(issuer.key, SoftwareKey)
    builder = x509.CertificateRevocationListBuilder(
        issuer.certificate.subject, factory.NOW, factory.NOW + timedelta(days=1)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer.key.private_key, hashes.SHA384()).public_bytes(Encoding.DER)


def scope(**facts: Any) -> tuple[x509.ExtensionType, bool]:
    empty: dict[str, Any] = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**{**empty, **facts}), True


@pytest.mark.parametrize(
    ("extensions", "verdict"),
    [
        ((), PathVerdict.VALID),
        (((x509.CRLNumber(4), False),), PathVerdict.VALID),
        ((scope(only_contains_user_certs=True),), PathVerdict.VALID),
        ((scope(full_name=[x509.UniformResourceIdentifier(POINT)]),), PathVerdict.VALID),
        ((scope(only_contains_ca_certs=True),), PathVerdict.STATUS_UNKNOWN),
        ((scope(only_contains_attribute_certs=True),), PathVerdict.STATUS_UNKNOWN),
        ((scope(indirect_crl=True),), PathVerdict.STATUS_UNKNOWN),
        ((scope(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise})),), PathVerdict.STATUS_UNKNOWN),
        (
            (scope(relative_name=x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "shard")])),),
            PathVerdict.STATUS_UNKNOWN,
        ),
        (((x509.DeltaCRLIndicator(1), True),), PathVerdict.STATUS_UNKNOWN),
    ],
    ids=["plain", "number", "users", "point", "authorities", "attributes", "indirect", "reasons", "relative", "delta"],
)
def test_a_list_counts_only_in_a_scope_that_is_understood(
    leaf: factory.Leaf, extensions: tuple[Any, ...], verdict: PathVerdict
) -> None:
    assert judge(leaf.certificate_der, evidence=with_list(list_by_hand(*extensions))).verdict is verdict


def test_a_list_for_users_says_nothing_about_authorities(leaf: factory.Leaf) -> None:
    top = factory.root()
    assert isinstance(top.key, SoftwareKey)
    users = (
        x509.CertificateRevocationListBuilder(top.certificate.subject, factory.NOW, factory.NOW + timedelta(days=1))
        .add_extension(*scope(only_contains_user_certs=True))
        .sign(top.key.private_key, hashes.SHA384())
        .public_bytes(Encoding.DER)
    )
    evidence = StatusEvidence((users, officials_list()))
    assert judge(leaf.certificate_der, evidence=evidence).verdict is PathVerdict.STATUS_UNKNOWN


def test_a_certificate_without_points_and_constraints_is_found_in_a_plain_list_only() -> None:
    bare = made(SIGNS, issuer=factory.authority(OFFICIALS))
    assert judge(bare, evidence=with_list(list_by_hand())).verdict is PathVerdict.VALID
    assert judge(bare, evidence=with_list(officials_list())).verdict is PathVerdict.STATUS_UNKNOWN


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
