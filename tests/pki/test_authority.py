"""Certificates are prepared, linted, and signed once as they were prepared."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from pki.authority import (
    Issuer,
    IssuerUrls,
    PreparedCertificate,
    check_issued,
    issue,
    key_identifier,
    new_serial_number,
    prepare,
    spki,
)
from pki.errors import KeyMismatch, LintFailure, ProfileViolation, SignatureMismatch, TbsMismatch
from pki.keys import Curve, SoftwareKey
from pki.names import PersonName, ServiceName, SubjectName
from pki.profiles import PROFILES, Profile, ProfileName
from tests.factories.pki import CITY, ISSUER_OF, LAN, MINH, NOW, OFFICE, authority, certify, key, responder, root, urls

SUBJECTS: dict[ProfileName, SubjectName] = {
    ProfileName.CITIZEN_SIGNING: LAN,
    ProfileName.OFFICIAL_SIGNING: MINH,
    ProfileName.AGENCY_SEAL: OFFICE,
    ProfileName.REPORT_SEAL: OFFICE,
    ProfileName.PASS_SIGNER: OFFICE,
}


def prepared(**changes: object) -> PreparedCertificate:
    """Lan's certificate, prepared; `changes` replace single arguments."""
    issuer = authority(ProfileName.ISSUING_CITIZENS)
    arguments: dict[str, object] = {
        "profile": PROFILES[ProfileName.CITIZEN_SIGNING],
        "subject": LAN,
        "public_key": key("lan").public_key,
        "issuer_certificate_der": issuer.certificate_der,
        "issuer_profile": ProfileName.ISSUING_CITIZENS,
        "serial_number": 0x01ABCDEF,
        "now": NOW,
        "urls": urls(ProfileName.ISSUING_CITIZENS),
    }
    arguments |= changes
    profile, subject, public_key = (arguments.pop(name) for name in ("profile", "subject", "public_key"))
    return prepare(profile, subject, public_key, **arguments)  # type: ignore[arg-type]


def test_serial_numbers_are_positive_short_prefixed_and_random():
    made = {new_serial_number(0x7F) for _ in range(100)}
    assert len(made) == 100
    assert all(number >> 136 == 0x7F and number.bit_length() < 160 for number in made)


@pytest.mark.parametrize("prefix", [0x00, 0x80, -1])
def test_a_prefix_that_is_not_one_positive_byte_is_refused(prefix: int):
    with pytest.raises(ProfileViolation):
        new_serial_number(prefix)


@pytest.mark.parametrize("profile", list(ISSUER_OF))
def test_every_profile_gives_a_certificate_that_its_issuer_signed(profile: ProfileName):
    leaf = certify(profile, SUBJECTS.get(profile, ServiceName(f"{profile}", CITY)))
    leaf.certificate.verify_directly_issued_by(leaf.issuer.certificate)
    leaf.issuer.certificate.verify_directly_issued_by(root().certificate)
    assert leaf.as_issuer.chain_der == (leaf.issuer.certificate_der, root().certificate_der)


def test_a_timestamp_units_key_signs_for_one_year_of_its_five():
    unit = certify(ProfileName.TSA_UNIT, ServiceName("Timestamps 1", CITY)).certificate
    period = unit.extensions.get_extension_for_class(x509.PrivateKeyUsagePeriod).value
    assert period.not_after is not None
    assert unit.not_valid_after_utc - period.not_after.astimezone(NOW.tzinfo) > timedelta(days=4 * 365 - 1)
    assert unit.extensions.get_extension_for_class(x509.ExtendedKeyUsage).critical


def test_a_root_is_signed_by_itself():
    top = root().certificate
    top.verify_directly_issued_by(top)
    assert top.subject == top.issuer


def test_a_responder_is_not_asked_about_itself():
    certificate = responder(ProfileName.ISSUING_CITIZENS).certificate
    certificate.extensions.get_extension_for_class(x509.OCSPNoCheck)
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints)


def test_validity_includes_its_last_second():
    made = prepared()
    assert made.not_before == NOW - timedelta(minutes=1)
    assert made.not_after == made.not_before + timedelta(days=90) - timedelta(seconds=1)


def test_a_certificate_never_outlives_its_issuer():
    issuer = authority(ProfileName.ISSUING_CITIZENS).certificate
    late = issuer.not_valid_after_utc - timedelta(days=1)
    assert prepared(now=late).not_after == issuer.not_valid_after_utc


def test_a_certificate_is_cut_at_the_limit_it_is_given():
    limit = NOW + timedelta(days=7, microseconds=5)
    assert prepared(not_after_limit=limit).not_after == NOW + timedelta(days=7)


@pytest.mark.parametrize("moment", [timedelta(0), timedelta(days=-1)])
def test_a_certificate_that_would_have_ended_is_refused(moment: timedelta):
    with pytest.raises(ProfileViolation):
        prepared(not_after_limit=NOW + moment)


def test_issuing_again_from_the_record_signs_the_very_same_bytes():
    made = prepared()
    recorded = replace(made)
    key_ = authority(ProfileName.ISSUING_CITIZENS).key
    first, second = (x509.load_der_x509_certificate(issue(one, key_)) for one in (made, recorded))
    assert first.tbs_certificate_bytes == second.tbs_certificate_bytes == made.tbs_der
    assert made.profile_digest == PROFILES[ProfileName.CITIZEN_SIGNING].digest


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer_profile": ProfileName.ISSUING_SEALS},
        {"subject": OFFICE},
        {"urls": replace(urls(ProfileName.ISSUING_CITIZENS), crl=None)},
        {"urls": replace(urls(ProfileName.ISSUING_CITIZENS), ocsp=None)},
        {"urls": replace(urls(ProfileName.ISSUING_CITIZENS), identifiers=None)},
    ],
    ids=["wrong issuer", "wrong subject", "no CRL", "no OCSP", "no registry"],
)
def test_what_does_not_fit_the_profile_is_refused(changes: dict[str, object]):
    with pytest.raises(ProfileViolation):
        prepared(**changes)


def test_an_authority_on_the_wrong_curve_is_refused():
    with pytest.raises(ProfileViolation):
        prepared(
            profile=PROFILES[ProfileName.ISSUING_CITIZENS],
            subject=ServiceName("P-256 authority", CITY),
            issuer_certificate_der=root().certificate_der,
            issuer_profile=ProfileName.ROOT,
        )


@pytest.mark.parametrize("address", ["https://a.example/1.crl", "http://a.example/crl?n=1"])
def test_lint_blocks_before_anything_is_signed(address: str):
    with pytest.raises(LintFailure) as caught:
        prepared(urls=replace(urls(ProfileName.ISSUING_CITIZENS), crl=address))
    assert "addresses_are_plain_http (RFC 5280, 8)" in str(caught.value)


def test_a_name_with_a_national_number_is_never_signed():
    numbered = PersonName("Nguyễn Thị Lan", "Nguyễn Thị", "Lan", "PNOVN-001099012345")
    with pytest.raises(LintFailure):
        prepared(subject=numbered)


def test_the_wrong_key_does_not_pass_for_the_issuers():
    made = prepared()
    signed = issue(made, key("stranger", Curve.P384))
    with pytest.raises(SignatureMismatch):
        check_issued(made.tbs_der, signed, root().key.public_key)


def test_a_certificate_over_other_bytes_is_noticed():
    key_ = authority(ProfileName.ISSUING_CITIZENS).key
    made, other = prepared(), prepared(serial_number=0x02)
    with pytest.raises(TbsMismatch):
        check_issued(made.tbs_der, issue(other, key_), key_.public_key)


def test_another_algorithm_than_the_issuers_is_noticed():
    made = prepared()
    with pytest.raises(TbsMismatch):
        check_issued(made.tbs_der, issue(made, key("p256")), root().key.public_key)


def test_an_issuer_must_hold_the_key_of_its_certificate():
    with pytest.raises(KeyMismatch):
        Issuer(root().certificate_der, key("stranger", Curve.P384))


def test_an_issuer_does_not_show_its_key():
    assert "key" not in repr(root())


def test_an_issuers_names_are_those_of_its_certificate():
    assert root().subject_der == root().certificate.subject.public_bytes()
    assert root().key_identifier == key_identifier(root().certificate)


def test_an_rsa_issuer_signs_with_its_own_algorithm():
    # No profile makes one; a chain from elsewhere may bring one.
    loose: Profile = replace(PROFILES[ProfileName.OCSP_RESPONDER], issued_by=frozenset({ProfileName.OCSP_RESPONDER}))
    holder = SoftwareKey(rsa.generate_private_key(65537, 2048))
    own = prepared(
        profile=loose,
        subject=ServiceName("RSA", CITY),
        public_key=holder.public_key,
        issuer_certificate_der=None,
        issuer_profile=ProfileName.OCSP_RESPONDER,
        urls=IssuerUrls(),
    )
    certificate_der = issue(own, holder)
    below = prepared(
        profile=loose,
        subject=ServiceName("Below", CITY),
        issuer_certificate_der=certificate_der,
        issuer_profile=ProfileName.OCSP_RESPONDER,
        urls=IssuerUrls(),
    )
    x509.load_der_x509_certificate(issue(below, holder)).verify_directly_issued_by(
        x509.load_der_x509_certificate(certificate_der)
    )


def test_a_key_of_another_kind_has_no_place():
    with pytest.raises(ProfileViolation):
        spki(ed25519.Ed25519PrivateKey.generate().public_key())


def test_an_issuer_with_a_key_of_another_kind_is_refused():
    strange = ed25519.Ed25519PrivateKey.generate()
    name = LAN.to_x509()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(strange.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(strange.public_key()), critical=False)
        .sign(strange, None)
    )
    with pytest.raises(ProfileViolation):
        prepared(issuer_certificate_der=certificate.public_bytes(Encoding.DER))
