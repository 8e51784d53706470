"""Certificates put together in bulk before OpenSSL, GnuTLS and pkilint, each with a twin that must fail."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from pki.authority import new_serial_number, spki
from pki.bulk import BulkPreparer, assemble
from pki.keys import Curve, signature_algorithm
from pki.names import SubjectName
from pki.profiles import PROFILES, ProfileName
from tests.factories.pki import ISSUER_OF, LAN, MINH, OFFICE, authority, key, root, urls
from tests.interop.judges import certificate_file, lint, run

NOW = datetime.now(UTC)
SUBJECTS: dict[ProfileName, SubjectName] = {
    ProfileName.CITIZEN_SIGNING: LAN,
    ProfileName.OFFICIAL_SIGNING: MINH,
    ProfileName.AGENCY_SEAL: OFFICE,
    ProfileName.REPORT_SEAL: OFFICE,
}
KINDS = {
    ProfileName.CITIZEN_SIGNING: "NCP-NATURAL-PERSON-CERTIFICATE",
    ProfileName.OFFICIAL_SIGNING: "NCP-NATURAL-PERSON-CERTIFICATE",
    ProfileName.AGENCY_SEAL: "NCP-LEGAL-PERSON-CERTIFICATE",
    ProfileName.REPORT_SEAL: "NCP-LEGAL-PERSON-CERTIFICATE",
}


@cache
def made(profile: ProfileName, curve: Curve = Curve.P256) -> bytes:
    by = ISSUER_OF[profile]
    issuer = authority(by)
    bulk = BulkPreparer(
        PROFILES[profile],
        issuer_certificate_der=issuer.certificate_der,
        issuer_profile=by,
        now=NOW,
        urls_of_shard=lambda shard: urls(by, shard),
    )
    public = spki(key(f"bulk {curve}", curve).public_key)
    prepared = bulk.prepare(SUBJECTS[profile], public, serial_number=new_serial_number(), shard=127)
    algorithm = signature_algorithm(issuer.key.public_key)
    return assemble(prepared.tbs_der, issuer.key.sign(prepared.tbs_der), algorithm.der)


def with_another_name(certificate_der: bytes) -> bytes:
    """Return the certificate with one letter of its subject changed behind the signature."""
    assert certificate_der.count(b"H99.02") or certificate_der.count(b"001122")
    return certificate_der.replace(b"H99.02", b"H99.03").replace(b"001122", b"001123")


@pytest.mark.parametrize("curve", list(Curve))
@pytest.mark.parametrize("profile", list(SUBJECTS))
def test_openssl_accepts_it_and_refuses_its_twin(tmp_path: Path, profile: ProfileName, curve: Curve) -> None:
    above = certificate_file(tmp_path / "ca.pem", authority(ISSUER_OF[profile]).certificate_der)
    words = ("openssl", "verify", "-x509_strict", "-policy", PROFILES[profile].policy or "", "-explicit_policy")
    words += ("-CAfile", certificate_file(tmp_path / "root.pem", root().certificate_der), "-untrusted", above)
    good = made(profile, curve)
    assert run(*words, certificate_file(tmp_path / "good.pem", good)).returncode == 0
    assert run(*words, certificate_file(tmp_path / "bad.pem", with_another_name(good))).returncode != 0


@pytest.mark.parametrize("profile", list(SUBJECTS))
def test_gnutls_accepts_it_and_refuses_its_twin(tmp_path: Path, profile: ProfileName) -> None:
    above, good = authority(ISSUER_OF[profile]).certificate_der, made(profile)
    anchor = certificate_file(tmp_path / "root.pem", root().certificate_der)
    words = ("certtool", "--verify", "--verify-profile=high", "--load-ca-certificate", anchor, "--infile")
    assert run(*words, certificate_file(tmp_path / "good.pem", good, above)).returncode == 0
    assert run(*words, certificate_file(tmp_path / "bad.pem", with_another_name(good), above)).returncode != 0


@pytest.mark.parametrize("profile", list(SUBJECTS))
def test_pkilint_finds_nothing(tmp_path: Path, profile: ProfileName) -> None:
    ours = certificate_file(tmp_path / "leaf.pem", made(profile))
    answer = lint("lint_etsi_cert", "-t", KINDS[profile], ours)
    assert (answer.returncode, answer.stdout.strip()) == (0, "")


def test_pkilint_finds_a_seal_that_claims_to_be_a_person(tmp_path: Path) -> None:
    ours = certificate_file(tmp_path / "leaf.pem", made(ProfileName.AGENCY_SEAL))
    assert lint("lint_etsi_cert", "-t", KINDS[ProfileName.CITIZEN_SIGNING], ours).returncode > 0
