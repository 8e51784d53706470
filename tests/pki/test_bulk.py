"""Certificates prepared in bulk are the very ones that are prepared one by one, and are linted as strictly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pki import der, oids
from pki.authority import PreparedCertificate, issue, new_serial_number, prepare, spki
from pki.bulk import BulkPreparer, assemble, check_sample
from pki.errors import LintFailure, ProfileViolation, SignatureMismatch
from pki.keys import Curve, PublicKey
from pki.lint_bulk import BulkLint
from pki.names import AgencyName, PersonName, ServiceName, SubjectName
from pki.profiles import PROFILES, ProfileName
from tests.factories.pki import ISSUER_OF, LAN, MINH, NOW, OFFICE, authority, key, urls

SUBJECTS: dict[ProfileName, SubjectName] = {
    ProfileName.CITIZEN_SIGNING: LAN,
    ProfileName.OFFICIAL_SIGNING: MINH,
    ProfileName.AGENCY_SEAL: OFFICE,
    ProfileName.REPORT_SEAL: OFFICE,
    ProfileName.PASS_SIGNER: OFFICE,
    ProfileName.DEVICE: ServiceName("Máy quét 7", "Thành phố Sông Biếc"),
    ProfileName.TSA_UNIT: ServiceName("Dấu thời gian 1", "Thành phố Sông Biếc"),
}
SHA256, SHA384 = (der.sequence(der.oid(oid)) for oid in (oids.ECDSA_WITH_SHA256, oids.ECDSA_WITH_SHA384))
RSA_KEY = rsa.generate_private_key(65537, 2048).public_key()


def preparer(profile: ProfileName) -> BulkPreparer:
    issuer = ISSUER_OF[profile]
    return BulkPreparer(
        PROFILES[profile],
        issuer_certificate_der=authority(issuer).certificate_der,
        issuer_profile=issuer,
        now=NOW,
        urls_of_shard=lambda shard: urls(issuer, shard),
    )


def one_by_one(
    profile: ProfileName, subject: SubjectName, public_key: PublicKey, serial_number: int, shard: int
) -> PreparedCertificate:
    issuer = ISSUER_OF[profile]
    return prepare(
        PROFILES[profile],
        subject,
        public_key,
        issuer_certificate_der=authority(issuer).certificate_der,
        issuer_profile=issuer,
        serial_number=serial_number,
        now=NOW,
        urls=urls(issuer, shard),
    )


@pytest.mark.parametrize("profile", list(SUBJECTS))
@pytest.mark.parametrize(
    "public_key", [key("p256").public_key, key("p384", Curve.P384).public_key, RSA_KEY], ids=["p256", "p384", "rsa"]
)
def test_bulk_and_one_by_one_make_the_same_bytes(profile: ProfileName, public_key: PublicKey) -> None:
    bulk, serial_number = preparer(profile), new_serial_number()
    for shard in (0, 1, 127, 1):
        made = bulk.prepare(SUBJECTS[profile], spki(public_key), serial_number=serial_number, shard=shard)
        assert made == one_by_one(profile, SUBJECTS[profile], public_key, serial_number, shard)


TEXT = st.text(st.characters(blacklist_categories=["Cs"]), min_size=0, max_size=70)


# The library counts octets where the bound is of characters, and says so.
LONG_IN_OCTETS = "ignore:Attribute's length must be:UserWarning"


@pytest.mark.filterwarnings(LONG_IN_OCTETS)
@pytest.mark.parametrize(("length", "accepted"), [(64, True), (65, False)])
def test_a_common_name_may_have_64_characters_however_many_octets(length: int, accepted: bool) -> None:
    subject = PersonName("ế" * length, "Nguyễn", "An", LAN.identifier)
    public = key("p256").public_key
    made = [
        _outcome(lambda: one_by_one(ProfileName.CITIZEN_SIGNING, subject, public, 5, 2)),
        _outcome(
            lambda: preparer(ProfileName.CITIZEN_SIGNING).prepare(subject, spki(public), serial_number=5, shard=2)
        ),
    ]
    assert made[0] == made[1]
    assert isinstance(made[0], PreparedCertificate) is accepted


@pytest.mark.filterwarnings(LONG_IN_OCTETS)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXT, TEXT, st.integers(1, 2**150), st.one_of(st.none(), TEXT))
def test_bulk_and_one_by_one_accept_and_refuse_the_same(
    name: str, surname: str, serial_number: int, title: str | None
) -> None:
    subject = PersonName(name, surname, "An", LAN.identifier, title=title)
    bulk = _outcome(
        lambda: preparer(ProfileName.OFFICIAL_SIGNING).prepare(
            subject, spki(key("p256").public_key), serial_number=serial_number, shard=2
        )
    )
    single = _outcome(
        lambda: one_by_one(ProfileName.OFFICIAL_SIGNING, subject, key("p256").public_key, serial_number, 2)
    )
    assert bulk == single


def _outcome(make: Callable[[], PreparedCertificate]) -> PreparedCertificate | type[Exception]:
    try:
        return make()
    except (ProfileViolation, LintFailure) as error:
        return type(error)


@pytest.mark.parametrize("profile", [ProfileName.CITIZEN_SIGNING, ProfileName.TSA_UNIT])
def test_a_preparer_that_is_moved_to_another_time_makes_what_a_new_one_makes(profile: ProfileName) -> None:
    public, later = spki(key("p256").public_key), NOW + timedelta(hours=5)
    bulk = preparer(profile)
    bulk.prepare(SUBJECTS[profile], public, serial_number=5, shard=0)
    moved = bulk.at(later).prepare(SUBJECTS[profile], public, serial_number=6, shard=0)
    issuer = ISSUER_OF[profile]
    fresh = BulkPreparer(
        PROFILES[profile],
        issuer_certificate_der=authority(issuer).certificate_der,
        issuer_profile=issuer,
        now=later,
        urls_of_shard=lambda shard: urls(issuer, shard),
    )
    assert moved == fresh.prepare(SUBJECTS[profile], public, serial_number=6, shard=0)
    assert moved.not_before == later - timedelta(minutes=1)


def test_a_limit_cuts_the_end_and_one_that_has_passed_is_refused() -> None:
    bulk, public = preparer(ProfileName.CITIZEN_SIGNING), spki(key("p256").public_key)
    limit = NOW + timedelta(days=40)
    made = bulk.prepare(LAN, public, serial_number=5, shard=0, not_after_limit=limit)
    assert made.not_after == limit
    with pytest.raises(ProfileViolation, match="before it begins"):
        bulk.prepare(LAN, public, serial_number=5, shard=0, not_after_limit=NOW)


def test_another_kind_of_subject_is_refused() -> None:
    agency = AgencyName("Sở", "Sở", "XX:VN-H99.02")
    with pytest.raises(ProfileViolation, match="AgencyName"):
        preparer(ProfileName.CITIZEN_SIGNING).prepare(agency, spki(key("p256").public_key), serial_number=5, shard=0)


def test_an_authority_that_does_not_issue_the_profile_is_refused() -> None:
    bulk = BulkPreparer(
        PROFILES[ProfileName.CITIZEN_SIGNING],
        issuer_certificate_der=authority(ProfileName.ISSUING_SEALS).certificate_der,
        issuer_profile=ProfileName.ISSUING_SEALS,
        now=NOW,
        urls_of_shard=lambda shard: urls(ProfileName.ISSUING_SEALS, shard),
    )
    with pytest.raises(ProfileViolation, match="does not issue"):
        bulk.prepare(LAN, spki(key("p256").public_key), serial_number=5, shard=0)


def test_an_authority_with_an_rsa_key_does_not_issue_in_bulk() -> None:
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(RSA_KEY)
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key("p256").private_key, hashes.SHA256())
    )
    with pytest.raises(ProfileViolation, match="elliptic"):
        BulkPreparer(
            PROFILES[ProfileName.CITIZEN_SIGNING],
            issuer_certificate_der=certificate.public_bytes(Encoding.DER),
            issuer_profile=ProfileName.ISSUING_CITIZENS,
            now=NOW,
            urls_of_shard=lambda shard: urls(ProfileName.ISSUING_CITIZENS, shard),
        )


def test_what_is_assembled_is_what_would_have_been_issued_alone() -> None:
    issuer = authority(ProfileName.ISSUING_CITIZENS)
    made = preparer(ProfileName.CITIZEN_SIGNING).prepare(LAN, spki(key("p256").public_key), serial_number=77, shard=1)
    certificate_der = assemble(made.tbs_der, issuer.key.sign(made.tbs_der), SHA384)
    certificate = x509.load_der_x509_certificate(certificate_der)
    certificate.verify_directly_issued_by(issuer.certificate)
    alone = x509.load_der_x509_certificate(issue(made, issuer.key))
    assert certificate.tbs_certificate_bytes == alone.tbs_certificate_bytes
    assert certificate.signature_algorithm_parameters is not None


def test_a_sample_finds_signatures_that_do_not_hold() -> None:
    issuer, other = authority(ProfileName.ISSUING_CITIZENS), authority(ProfileName.ISSUING_SEALS)
    made = preparer(ProfileName.CITIZEN_SIGNING).prepare(LAN, spki(key("p256").public_key), serial_number=77, shard=1)
    good = assemble(made.tbs_der, issuer.key.sign(made.tbs_der), SHA384)
    bad = assemble(made.tbs_der, other.key.sign(made.tbs_der), SHA384)
    foreign = assemble(made.tbs_der, key("p256").sign(made.tbs_der), SHA256)
    check_sample([], issuer.key.public_key)
    check_sample([good] * 200, issuer.key.public_key)
    for wrong in (bad, foreign):
        with pytest.raises(SignatureMismatch):
            check_sample([good, wrong], issuer.key.public_key)
    with pytest.raises(SignatureMismatch):
        check_sample([good, *[bad] * 126, good], issuer.key.public_key, every=2)


def _changed(change: Callable[[list[bytes]], None]) -> bytes:
    """What is to be signed for a citizen, with some of its eight parts changed."""
    made = preparer(ProfileName.CITIZEN_SIGNING).prepare(LAN, spki(key("p256").public_key), serial_number=77, shard=1)
    parts = [one.der for one in der.read(made.tbs_der).children()]
    change(parts)
    return der.sequence(*parts)


def _put(part: int, value: bytes) -> Callable[[list[bytes]], None]:
    def change(parts: list[bytes]) -> None:
        parts[part] = value

    return change


def _replace(part: int, old: bytes, new: bytes) -> Callable[[list[bytes]], None]:
    def change(parts: list[bytes]) -> None:
        assert old in parts[part]
        parts[part] = parts[part].replace(old, new)

    return change


def _time(text: str) -> bytes:
    return der.encode(der.UTC_TIME, text.encode())


def _name(*attributes: tuple[str, int, bytes]) -> bytes:
    return der.sequence(
        *(der.encode(der.SET, der.sequence(der.oid(oid), der.encode(tag, text))) for oid, tag, text in attributes)
    )


_LATE = der.generalized_time(NOW.replace(year=2051))
CRL = urls(ProfileName.ISSUING_CITIZENS, 1).crl
COUNTRY = ("2.5.4.6", der.PRINTABLE_STRING, b"VN")
NAME = ("2.5.4.3", der.UTF8_STRING, b"Lan")
P521 = bytes.fromhex(
    "30819b301006072a8648ce3d020106052b81040023038186000400c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b"
    "4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66011839296a789a3bc0045c8a5fb42c7d1bd998f54449"
    "579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650"
)
ED25519 = bytes.fromhex("302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_put(0, bytes.fromhex("a003020101")), "version_is_3"),
        (_put(1, der.integer(0)), "serial_is_positive_and_short"),
        (_put(1, der.integer(-5)), "serial_is_positive_and_short"),
        (_put(1, der.integer(1 << 160)), "serial_is_positive_and_short"),
        (_put(2, SHA256), "algorithm_is_the_authority's"),
        (_put(3, _name(COUNTRY, NAME)), "issuer_is_the_authority"),
        (_put(4, der.sequence(_time("270101000000Z"), _time("270101000000Z"))), "validity_runs_forward"),
        (_put(4, der.sequence(_time("270101000000Z"), _time("270402000000Z"))), "validity_is_within_profile"),
        (_put(4, der.sequence(_time("361201000000Z"), _time("370101000000Z"))), "validity_ends_before_the_issuer's"),
        (_put(4, der.sequence(_time("270101000000Z"), _LATE)), "validity_ends_before_the_issuer's"),
        (_put(4, der.sequence(_time("2701010000Z"), _time("270401000000Z"))), "encoding_is_der"),
        (_put(4, der.sequence(_time("271301000000Z"), _time("280401000000Z"))), "encoding_is_der"),
        (_put(4, der.sequence(der.octet_string(b"x"), _time("270401000000Z"))), "encoding_is_der"),
        (_put(4, der.sequence(_time("261122070001Z"), _time("270101000000Z"))), "validity_begins_now"),
        (_put(4, der.sequence(_time("261122055959Z"), _time("270101000000Z"))), "validity_begins_now"),
        (_put(5, _name(NAME)), "subject_has_one_country_and_common_name"),
        (_put(5, _name(COUNTRY, NAME, NAME)), "subject_has_one_country_and_common_name"),
        (_put(5, _name(COUNTRY, ("2.5.4.3", der.UTF8_STRING, b"a\x00b"))), "subject_is_readable"),
        (_put(5, _name(COUNTRY, ("2.5.4.3", der.UTF8_STRING, b" "))), "subject_is_readable"),
        (_put(5, _name(COUNTRY, ("2.5.4.3", der.UTF8_STRING, b"a" * 65))), "subject_is_within_bounds"),
        (_put(5, _name(COUNTRY, ("2.5.4.3", der.UTF8_STRING, b"\xff"))), "encoding_is_der"),
        (_put(5, _name(COUNTRY, ("2.5.4.3", 0x1E, b"\x00L"))), "encoding_is_der"),
        (_put(5, _name(("2.5.4.6", der.PRINTABLE_STRING, b"US"), NAME)), "country_is_ours"),
        (_put(5, _name(COUNTRY, NAME, ("2.5.4.5", der.PRINTABLE_STRING, b"079204012345"))), "identifier_is_opaque"),
        (_put(6, der.sequence(der.sequence(), der.bit_string(b"x"))), "key_can_be_read"),
        (_put(6, P521), "key_is_on_an_allowed_curve"),
        (_put(6, ED25519), "key_kind_is_allowed"),
        (_put(6, spki(key("other").public_key)), "subject_key_identifier_is_method_1"),
        (_replace(7, b"crl/issuing_citizens/1.crl", b"crl/issuing_citizens/1.cr?"), "addresses_are_plain_http"),
        (_replace(7, b"crl/issuing_citizens/1.crl", b"crl/issuing_citizens/2.crl"), "crl_address_is_the_shard's"),
        (lambda parts: parts.append(der.NULL), "encoding_is_der"),
    ],
)  # fmt: skip
def test_a_certificate_with_a_fault_is_not_let_through(change: Callable[[list[bytes]], None], rule: str) -> None:
    issuer = authority(ProfileName.ISSUING_CITIZENS)
    lint = BulkLint(PROFILES[ProfileName.CITIZEN_SIGNING], issuer.certificate_der, now=NOW)
    lint.check(_changed(lambda parts: None), crl=CRL)
    with pytest.raises(LintFailure) as found:
        lint.check(_changed(change), crl=CRL)
    assert any(str(finding).startswith(rule) for finding in found.value.findings), found.value.findings


def test_what_was_clean_for_one_shard_is_not_for_another() -> None:
    issuer = authority(ProfileName.ISSUING_CITIZENS)
    lint = BulkLint(PROFILES[ProfileName.CITIZEN_SIGNING], issuer.certificate_der, now=NOW)
    lint.check(_changed(lambda parts: None), crl=CRL)
    with pytest.raises(LintFailure):
        lint.check(_changed(lambda parts: None), crl=urls(ProfileName.ISSUING_CITIZENS, 2).crl)


def test_what_was_found_wrong_once_is_found_wrong_again() -> None:
    issuer = authority(ProfileName.ISSUING_CITIZENS)
    lint = BulkLint(PROFILES[ProfileName.CITIZEN_SIGNING], issuer.certificate_der, now=NOW)
    wrong = _changed(_replace(7, b"crl/issuing_citizens/1.crl", b"crl/issuing_citizens/1.cr?"))
    for _ in range(2):
        with pytest.raises(LintFailure):
            lint.check(wrong, crl=CRL)
