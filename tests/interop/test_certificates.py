"""Certificates and CRLs before OpenSSL, GnuTLS and pkilint, each with a twin that must fail."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from pki import oids
from pki.crl import build_crl
from pki.keys import Curve
from pki.names import ServiceName, SubjectName
from pki.profiles import PROFILES, ProfileName
from pki.revocation import RevocationReason, RevokedEntry, encode_entry
from tests.factories.pki import CITY, ISSUER_OF, LAN, MINH, OFFICE, Leaf, authority, certify, key, responder, root, urls
from tests.interop.judges import certificate_file, crl_file, lint, run

# Other programs read the clock of the machine; what is judged here must hold now.
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
SUBJECTS: dict[ProfileName, SubjectName] = {
    ProfileName.CITIZEN_SIGNING: LAN,
    ProfileName.OFFICIAL_SIGNING: MINH,
    ProfileName.AGENCY_SEAL: OFFICE,
    ProfileName.REPORT_SEAL: OFFICE,
    ProfileName.PASS_SIGNER: OFFICE,
}
PEOPLE = "NCP-NATURAL-PERSON-CERTIFICATE"
ORGANIZATIONS = "NCP-LEGAL-PERSON-CERTIFICATE"


def leaf_of(profile: ProfileName) -> Leaf:
    return certify(profile, SUBJECTS.get(profile, ServiceName(f"{profile} 1", CITY)), now=NOW)


def crl_of(profile: ProfileName, *entries: RevokedEntry, now: datetime = NOW) -> bytes:
    """Return the CRL that covers certificates of `profile`."""
    by = ISSUER_OF[profile]
    return build_crl(
        map(encode_entry, entries),
        issuer=authority(by),
        number=1,
        now=now,
        lifetime=DAY,
        distribution_point=urls(by).crl,
    )


def root_crl(now: datetime = NOW) -> bytes:
    return build_crl((), issuer=root(), number=1, now=now, lifetime=DAY, distribution_point=None, only_ca=True)


def revoked(leaf: Leaf) -> RevokedEntry:
    return RevokedEntry(leaf.certificate.serial_number, NOW - DAY, RevocationReason.KEY_COMPROMISE, NOW - 2 * DAY)


def altered(leaf: Leaf, change: Callable[[x509.CertificateBuilder], x509.CertificateBuilder], leave_out: type) -> bytes:
    """Return the certificate made again by the same authority with one extension changed."""
    old = leaf.certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(leaf.key.public_key)
        .serial_number(old.serial_number)
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(old.not_valid_after_utc)
    )
    for extension in old.extensions:
        if not isinstance(extension.value, leave_out):
            builder = builder.add_extension(extension.value, critical=extension.critical)
    signer = key(f"root {ISSUER_OF[ProfileName.CITIZEN_SIGNING]}", Curve.P384).private_key
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    return change(builder).sign(signer, hashes.SHA384()).public_bytes(Encoding.DER)


def openssl_verify(
    folder: Path, leaf: Leaf, crl_der: bytes, root_crl_der: bytes, policy: str, *, above: bytes | None = None
) -> subprocess.CompletedProcess[str]:
    return run(
        *("openssl", "verify", "-x509_strict", "-crl_check_all", "-extended_crl"),
        *("-CAfile", certificate_file(folder / "root.pem", root().certificate_der)),
        *("-untrusted", certificate_file(folder / "ca.pem", above or leaf.issuer.certificate_der)),
        *("-CRLfile", crl_file(folder / "root.crl", root_crl_der), "-CRLfile", crl_file(folder / "ca.crl", crl_der)),
        *("-policy", policy, "-explicit_policy"),
        certificate_file(folder / "leaf.pem", leaf.certificate_der),
    )


@pytest.mark.parametrize("profile", list(ISSUER_OF))
def test_openssl_accepts_every_profile_with_lists_and_policy(tmp_path: Path, profile: ProfileName):
    policy = PROFILES[profile].policy
    assert policy is not None
    answer = openssl_verify(tmp_path, leaf_of(profile), crl_of(profile), root_crl(), policy)
    assert answer.returncode == 0, answer.stderr


def test_openssl_refuses_a_revoked_certificate(tmp_path: Path):
    leaf = leaf_of(ProfileName.CITIZEN_SIGNING)
    listed = crl_of(ProfileName.CITIZEN_SIGNING, revoked(leaf))
    answer = openssl_verify(tmp_path, leaf, listed, root_crl(), oids.POLICY_CITIZEN)
    assert "certificate revoked" in answer.stderr


def test_openssl_refuses_a_list_that_has_run_out(tmp_path: Path):
    stale = crl_of(ProfileName.CITIZEN_SIGNING, now=NOW - 2 * DAY)
    answer = openssl_verify(tmp_path, leaf_of(ProfileName.CITIZEN_SIGNING), stale, root_crl(), oids.POLICY_CITIZEN)
    assert "CRL has expired" in answer.stderr


def test_openssl_refuses_the_list_of_another_shard(tmp_path: Path):
    other = build_crl(
        (),
        issuer=authority(ProfileName.ISSUING_CITIZENS),
        number=1,
        now=NOW,
        lifetime=DAY,
        distribution_point=urls(ProfileName.ISSUING_CITIZENS, 1).crl,
    )
    answer = openssl_verify(tmp_path, leaf_of(ProfileName.CITIZEN_SIGNING), other, root_crl(), oids.POLICY_CITIZEN)
    assert answer.returncode != 0
    assert "scope" in answer.stderr


def test_openssl_refuses_another_policy(tmp_path: Path):
    leaf = leaf_of(ProfileName.CITIZEN_SIGNING)
    answer = openssl_verify(tmp_path, leaf, crl_of(ProfileName.CITIZEN_SIGNING), root_crl(), oids.POLICY_SEAL)
    assert "no explicit policy" in answer.stderr


def test_openssl_refuses_a_chain_through_another_root(tmp_path: Path):
    leaf = leaf_of(ProfileName.CITIZEN_SIGNING)
    foreign = authority(ProfileName.ISSUING_CITIZENS, "foreign").certificate_der
    answer = openssl_verify(
        tmp_path, leaf, crl_of(ProfileName.CITIZEN_SIGNING), root_crl(), oids.POLICY_CITIZEN, above=foreign
    )
    assert answer.returncode != 0


def test_openssl_accepts_a_timestamp_unit_for_timestamps_and_nothing_else(tmp_path: Path):
    words = (
        *("openssl", "verify", "-CAfile", certificate_file(tmp_path / "root.pem", root().certificate_der)),
        *("-untrusted", certificate_file(tmp_path / "ca.pem", authority(ProfileName.TSA_AUTHORITY).certificate_der)),
    )
    unit = certificate_file(tmp_path / "tsa.pem", leaf_of(ProfileName.TSA_UNIT).certificate_der)
    assert run(*words, "-purpose", "timestampsign", unit).returncode == 0
    assert run(*words, "-purpose", "smimesign", unit).returncode != 0


def test_openssl_checks_the_signature_of_a_list(tmp_path: Path):
    (tmp_path / "ca.crl").write_bytes(crl_of(ProfileName.CITIZEN_SIGNING))
    words = ("openssl", "crl", "-inform", "DER", "-in", tmp_path / "ca.crl", "-noout", "-crlnumber", "-verify")
    ours = certificate_file(tmp_path / "ca.pem", authority(ProfileName.ISSUING_CITIZENS).certificate_der)
    other = certificate_file(tmp_path / "other.pem", authority(ProfileName.ISSUING_CITIZENS, "foreign").certificate_der)
    assert "verify OK" in run(*words, "-CAfile", ours).stderr
    assert "verify OK" not in run(*words, "-CAfile", other).stderr


@pytest.mark.parametrize("profile", list(ISSUER_OF))
def test_gnutls_accepts_every_chain(tmp_path: Path, profile: ProfileName):
    leaf = leaf_of(profile)
    chain = certificate_file(tmp_path / "chain.pem", leaf.certificate_der, leaf.issuer.certificate_der)
    words = ("certtool", "--verify", "--verify-profile=high", "--infile", chain, "--load-ca-certificate")
    assert run(*words, certificate_file(tmp_path / "root.pem", root().certificate_der)).returncode == 0
    assert run(*words, certificate_file(tmp_path / "foreign.pem", root("foreign").certificate_der)).returncode != 0


def test_gnutls_checks_the_signature_of_a_list(tmp_path: Path):
    listed = crl_file(tmp_path / "ca.crl", crl_of(ProfileName.CITIZEN_SIGNING))
    words = ("certtool", "--verify-crl", "--infile", listed, "--load-ca-certificate")
    ours = certificate_file(tmp_path / "ca.pem", authority(ProfileName.ISSUING_CITIZENS).certificate_der)
    other = certificate_file(tmp_path / "other.pem", authority(ProfileName.ISSUING_SEALS).certificate_der)
    assert run(*words, ours).returncode == 0
    assert run(*words, other).returncode != 0


@pytest.mark.parametrize("profile", list(ISSUER_OF))
def test_pkilint_finds_nothing_in_a_certificate_nor_in_its_chain(tmp_path: Path, profile: ProfileName):
    leaf = leaf_of(profile)
    ours = certificate_file(tmp_path / "leaf.pem", leaf.certificate_der)
    above = certificate_file(tmp_path / "ca.pem", leaf.issuer.certificate_der)
    for answer in (
        lint("lint_pkix_cert", ours),
        lint("lint_pkix_cert", above),
        lint("lint_pkix_signer_signee_cert_chain", above, ours),
    ):
        assert (answer.returncode, answer.stdout.strip(), answer.stderr) == (0, "", "")


def test_pkilint_finds_nothing_in_a_root_nor_in_a_responder(tmp_path: Path):
    by = certify(ProfileName.OCSP_RESPONDER, ServiceName("OCSP", CITY), issuer=ProfileName.ISSUING_CITIZENS, now=NOW)
    for certificate_der in (root().certificate_der, by.certificate_der):
        answer = lint("lint_pkix_cert", certificate_file(tmp_path / "one.pem", certificate_der))
        assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(
    ("profile", "kind"),
    [
        (ProfileName.CITIZEN_SIGNING, PEOPLE),
        (ProfileName.OFFICIAL_SIGNING, PEOPLE),
        (ProfileName.AGENCY_SEAL, ORGANIZATIONS),
        (ProfileName.REPORT_SEAL, ORGANIZATIONS),
    ],
)
def test_pkilint_finds_nothing_against_etsi(tmp_path: Path, profile: ProfileName, kind: str):
    ours = certificate_file(tmp_path / "leaf.pem", leaf_of(profile).certificate_der)
    answer = lint("lint_etsi_cert", "-t", kind, ours)
    assert (answer.returncode, answer.stdout.strip()) == (0, "")


def test_pkilint_finds_a_seal_that_claims_to_be_a_person(tmp_path: Path):
    seal = certificate_file(tmp_path / "seal.pem", leaf_of(ProfileName.AGENCY_SEAL).certificate_der)
    assert lint("lint_etsi_cert", "-t", PEOPLE, seal).returncode > 0


def test_pkilint_finds_constraints_that_a_person_must_not_have(tmp_path: Path):
    leaf = leaf_of(ProfileName.CITIZEN_SIGNING)
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    wrong = altered(leaf, lambda builder: builder.add_extension(constraints, critical=False), x509.BasicConstraints)
    assert lint("lint_pkix_cert", certificate_file(tmp_path / "wrong.pem", wrong)).returncode > 0


def test_pkilint_finds_a_chain_that_does_not_fit(tmp_path: Path):
    ours = certificate_file(tmp_path / "leaf.pem", leaf_of(ProfileName.CITIZEN_SIGNING).certificate_der)
    other = certificate_file(tmp_path / "ca.pem", authority(ProfileName.ISSUING_SEALS).certificate_der)
    assert lint("lint_pkix_signer_signee_cert_chain", other, ours).returncode > 0


def test_pkilint_finds_nothing_in_the_lists(tmp_path: Path):
    leaf = leaf_of(ProfileName.CITIZEN_SIGNING)
    shard = crl_file(tmp_path / "shard.pem", crl_of(ProfileName.CITIZEN_SIGNING, revoked(leaf)))
    top = crl_file(tmp_path / "root.pem", root_crl())
    for kind, path in (("CRL", shard), ("ARL", top)):
        answer = lint("lint_crl", "-t", kind, "-p", "PKIX", path)
        assert (answer.returncode, answer.stdout.strip()) == (0, "")


def test_pkilint_finds_a_list_without_a_number(tmp_path: Path):
    signer = key(f"root {ProfileName.ISSUING_CITIZENS}", Curve.P384).private_key
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    bare = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority(ProfileName.ISSUING_CITIZENS).certificate.subject)
        .last_update(NOW)
        .next_update(NOW + DAY)
        .sign(signer, hashes.SHA384())
    )
    path = crl_file(tmp_path / "bare.pem", bare.public_bytes(Encoding.DER))
    assert lint("lint_crl", "-t", "CRL", "-p", "PKIX", path).returncode > 0


def test_openssl_refuses_a_certificate_after_its_last_second(tmp_path: Path):
    leaf = leaf_of(ProfileName.CITIZEN_SIGNING)
    words = (
        *("openssl", "verify", "-CAfile", certificate_file(tmp_path / "root.pem", root().certificate_der)),
        *("-untrusted", certificate_file(tmp_path / "ca.pem", leaf.issuer.certificate_der)),
    )
    ours = certificate_file(tmp_path / "leaf.pem", leaf.certificate_der)
    last = int(leaf.certificate.not_valid_after_utc.timestamp())
    # OpenSSL ends one second earlier than RFC 5280, 4.1.2.5: for it the last second is out already.
    assert run(*words, "-attime", str(last - 1), ours).returncode == 0
    assert "certificate has expired" in run(*words, "-attime", str(last + 1), ours).stderr


def test_the_responder_is_under_the_authority_it_answers_for():
    by = responder(ProfileName.ISSUING_CITIZENS)
    by.certificate.verify_directly_issued_by(authority(ProfileName.ISSUING_CITIZENS).certificate)
