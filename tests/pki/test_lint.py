"""Each blocking check finds what it is there for, in a certificate that another builder made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki import der, oids
from pki.errors import LintFailure
from pki.keys import Curve, signature_algorithm
from pki.lint import Circumstances, find_in_certificate, lint_certificate
from pki.lint_crl import lint_crl
from pki.names import ServiceName
from pki.profiles import PROFILES, ProfileName
from pki.revocation import encode_removal
from tests.factories.pki import LAN, NOW, OFFICE, authority, certify, key, root, urls

Builder = x509.CertificateBuilder
CITIZEN = PROFILES[ProfileName.CITIZEN_SIGNING]


def without(certificate: x509.Certificate, *leave_out: type[x509.ExtensionType]) -> Builder:
    """Return a builder that makes `certificate` again, less some extensions."""
    builder = (
        Builder()
        .subject_name(certificate.subject)
        .issuer_name(certificate.issuer)
        .public_key(certificate.public_key())  # type: ignore[arg-type]  # every kind the builder takes
        .serial_number(certificate.serial_number)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
    )
    for extension in certificate.extensions:
        if not isinstance(extension.value, leave_out):
            builder = builder.add_extension(extension.value, critical=extension.critical)
    return builder


def rules(builder: Builder, profile: ProfileName = ProfileName.CITIZEN_SIGNING) -> set[str]:
    signed = builder.sign(ec.generate_private_key(ec.SECP384R1()), hashes.SHA384())
    found = find_in_certificate(signed.public_bytes(Encoding.DER), PROFILES[profile])
    return {one.rule.partition(":")[0] for one in found}


@pytest.fixture(scope="session")
def lan() -> x509.Certificate:
    return certify(ProfileName.CITIZEN_SIGNING, LAN).certificate


def usage(**on: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    names += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: on.get(name, False) for name in names})


def named(*attributes: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in attributes])


def test_what_the_authority_makes_has_no_findings(lan: x509.Certificate):
    assert rules(without(lan)) == set()
    lint_certificate(lan.public_bytes(Encoding.DER), CITIZEN)


def test_all_findings_are_reported_together(lan: x509.Certificate):
    builder = without(lan, x509.KeyUsage, x509.CertificatePolicies)
    signed = builder.sign(ec.generate_private_key(ec.SECP384R1()), hashes.SHA384())
    with pytest.raises(LintFailure) as caught:
        lint_certificate(signed.public_bytes(Encoding.DER), CITIZEN)
    assert len(caught.value.findings) == 2


WRONG: dict[str, Callable[[x509.Certificate], Builder]] = {
    "key_usage_is_profile_and_critical": lambda lan: without(lan, x509.KeyUsage).add_extension(
        usage(content_commitment=True, digital_signature=True), critical=True
    ),
    "extended_key_usage_is_profile": lambda lan: without(lan, x509.ExtendedKeyUsage),
    "policy_is_profile": lambda lan: without(lan, x509.CertificatePolicies),
    "ocsp_no_check_is_profile": lambda lan: without(lan).add_extension(x509.OCSPNoCheck(), critical=False),
    "semantics_statement_is_profile": lambda lan: without(lan, x509.UnrecognizedExtension),
    "only_extensions_of_profiles": lambda lan: without(lan).add_extension(
        x509.SubjectAlternativeName([x509.RFC822Name("lan@example.vn")]), critical=False
    ),
    "crl_address_is_profile": lambda lan: without(lan, x509.CRLDistributionPoints),
    "ocsp_address_is_profile": lambda lan: without(lan, x509.AuthorityInformationAccess),
    "authority_key_identifier_present": lambda lan: without(lan, x509.AuthorityKeyIdentifier),
    "subject_key_identifier_is_method_1": lambda lan: without(lan, x509.SubjectKeyIdentifier),
    "authority_only_if_profile_says_so": lambda lan: without(lan).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    ),
    "validity_is_within_profile": lambda lan: fresh(
        lan, not_after=lan.not_valid_before_utc + CITIZEN.validity + timedelta(seconds=1)
    ),
    "validity_runs_forward": lambda lan: fresh(lan, not_after=lan.not_valid_before_utc),
    "subject_has_one_country_and_common_name": lambda lan: fresh(lan, subject=named((NameOID.COMMON_NAME, "Lan"))),
    "country_is_ours": lambda lan: fresh(
        lan, subject=named((NameOID.COUNTRY_NAME, "LA"), (NameOID.COMMON_NAME, "Lan"))
    ),
    "subject_is_within_bounds": lambda lan: fresh(
        lan,
        subject=named(
            (NameOID.COUNTRY_NAME, "VN"), (NameOID.ORGANIZATION_NAME, "S" * 65), (NameOID.COMMON_NAME, "Lan")
        ),
    ),
    "time_of_signing_is_profile": lambda lan: without(lan).add_extension(
        x509.PrivateKeyUsagePeriod(not_before=NOW, not_after=NOW + timedelta(days=1)), critical=False
    ),
    "identifier_is_opaque": lambda lan: fresh(
        lan,
        subject=named(
            (NameOID.COUNTRY_NAME, "VN"), (NameOID.COMMON_NAME, "Lan"), (NameOID.SERIAL_NUMBER, "PNOVN-001099012345")
        ),
    ),
    "subject_is_readable": lambda lan: fresh(
        lan, subject=named((NameOID.COUNTRY_NAME, "VN"), (NameOID.COMMON_NAME, "La\u202en"))
    ),
    "key_is_on_an_allowed_curve": lambda lan: fresh(
        lan, public_key=ec.generate_private_key(ec.SECP521R1()).public_key()
    ),
    "key_kind_is_allowed": lambda lan: fresh(lan, public_key=ed25519.Ed25519PrivateKey.generate().public_key()),
}


def fresh(
    lan: x509.Certificate,
    *,
    subject: x509.Name | None = None,
    not_after: object = None,
    public_key: object = None,
) -> Builder:
    """Return a builder for `lan` with one basic field changed: the library sets each only once."""
    builder = (
        Builder()
        .subject_name(subject or lan.subject)
        .issuer_name(lan.issuer)
        .public_key(public_key or lan.public_key())  # type: ignore[arg-type]  # every kind the builder takes
        .serial_number(lan.serial_number)
        .not_valid_before(lan.not_valid_before_utc)
        .not_valid_after(not_after or lan.not_valid_after_utc)  # type: ignore[arg-type]
    )
    for extension in lan.extensions:
        value = extension.value
        if public_key is not None and isinstance(value, x509.SubjectKeyIdentifier):
            value = x509.SubjectKeyIdentifier.from_public_key(public_key)  # type: ignore[arg-type]
        builder = builder.add_extension(value, critical=extension.critical)
    return builder


@pytest.mark.parametrize("rule", list(WRONG))
def test_a_certificate_that_breaks_one_rule_breaks_only_that_rule(rule: str, lan: x509.Certificate):
    assert rules(WRONG[rule](lan)) == {rule}


def test_a_timestamp_unit_that_signs_without_end_is_found():
    unit = certify(ProfileName.TSA_UNIT, ServiceName("Dấu thời gian", "Thành phố")).certificate
    assert rules(without(unit), ProfileName.TSA_UNIT) == set()
    assert rules(without(unit, x509.PrivateKeyUsagePeriod), ProfileName.TSA_UNIT) == {"time_of_signing_is_profile"}


CIRCUMSTANCES = Circumstances(
    authority(ProfileName.ISSUING_CITIZENS).certificate_der, NOW, urls(ProfileName.ISSUING_CITIZENS).crl
)


def when(certificate: x509.Certificate, **changes: object) -> set[str]:
    """Return the findings in a certificate of the citizens' authority that is about to be signed."""
    circumstances = replace(CIRCUMSTANCES, **changes)
    found = find_in_certificate(certificate.public_bytes(Encoding.DER), CITIZEN, circumstances)
    return {one.rule for one in found}


def test_a_certificate_is_checked_against_what_it_is_made_for(lan: x509.Certificate):
    assert when(lan) == set()
    assert when(lan, crl=urls(ProfileName.ISSUING_CITIZENS, 1).crl) == {"crl_address_is_the_shard's"}
    assert when(lan, crl=None) == {"crl_address_is_the_shard's"}
    other = authority(ProfileName.ISSUING_CITIZENS, "other").certificate_der
    assert when(lan, issuer_certificate_der=other) == {"authority_key_identifier_is_the_authority's"} | (
        set() if lan.issuer == x509.load_der_x509_certificate(other).subject else {"issuer_is_the_authority"}
    )


@pytest.mark.parametrize(
    ("seconds", "found"),
    [(-61, {"validity_begins_now"}), (-60, set()), (59 * 60, set()), (59 * 60 + 1, {"validity_begins_now"})],
)
def test_a_validity_begins_up_to_an_hour_ago_and_never_later_than_now(
    lan: x509.Certificate, seconds: int, found: set[str]
):
    assert when(lan, now=NOW + timedelta(seconds=seconds)) == found


def test_an_end_behind_the_authoritys_and_another_algorithm_are_found(lan: x509.Certificate):
    ended = fresh(lan, not_after=lan.not_valid_before_utc + timedelta(days=3))
    short = ended.sign(ec.generate_private_key(ec.SECP384R1()), hashes.SHA384())
    assert when(lan, issuer_certificate_der=short.public_bytes(Encoding.DER)) >= {
        "validity_ends_before_the_issuer's",
        "algorithm_is_the_authority's",
    }
    strange = WRONG["key_kind_is_allowed"](lan).sign(ec.generate_private_key(ec.SECP384R1()), hashes.SHA384())
    assert "algorithm_is_the_authority's" in when(lan, issuer_certificate_der=strange.public_bytes(Encoding.DER))


def test_an_authority_without_a_key_identifier_cannot_be_named(lan: x509.Certificate):
    bare = without(authority(ProfileName.ISSUING_CITIZENS).certificate, x509.SubjectKeyIdentifier)
    signed = bare.sign(ec.generate_private_key(ec.SECP384R1()), hashes.SHA384())
    assert when(lan, issuer_certificate_der=signed.public_bytes(Encoding.DER)) == {
        "authority_key_identifier_is_the_authority's"
    }


def test_a_list_behind_a_name_and_not_an_address_is_not_the_shards(lan: x509.Certificate):
    point = x509.DistributionPoint(None, None, None, [x509.DirectoryName(LAN.to_x509())])
    builder = without(lan, x509.CRLDistributionPoints).add_extension(
        x509.CRLDistributionPoints([point]), critical=False
    )
    signed = builder.sign(ec.generate_private_key(ec.SECP384R1()), hashes.SHA384())
    assert when(signed) == {"crl_address_is_profile", "crl_address_is_the_shard's"}


def test_the_root_is_checked_against_itself():
    circumstances = Circumstances(None, NOW, None)
    lint_certificate(root().certificate_der, PROFILES[ProfileName.ROOT], circumstances)


def rebuilt(certificate: x509.Certificate, change: Callable[[list[bytes]], None]) -> list[str]:
    """Return the findings in a certificate with its extensions changed as bytes."""
    tbs, *rest = der.read(certificate.public_bytes(Encoding.DER)).children()
    *parts, tagged = tbs.children()
    extensions = [one.der for one in tagged.children()[0].children()]
    change(extensions)
    first = der.sequence(*(part.der for part in parts), der.explicit(3, der.sequence(*extensions)))
    found = find_in_certificate(der.sequence(first, *(part.der for part in rest)), CITIZEN)
    return [one.rule for one in found]


def test_an_extension_that_stands_twice_is_found(lan: x509.Certificate):
    assert rebuilt(lan, lambda extensions: extensions.append(extensions[0])) == ["no_extension_twice"]


def test_an_extension_that_nobody_weighed_is_found_by_its_identifier(lan: x509.Certificate):
    unknown = der.extension("1.2.3.4", der.NULL)
    assert rebuilt(lan, lambda extensions: extensions.append(unknown)) == ["only_extensions_of_profiles: 1.2.3.4"]


@pytest.mark.parametrize(
    ("extension", "why"),
    [
        (der.sequence(der.oid("1.2.3"), b"\x01\x01\x00", der.octet_string(der.NULL)), "default"),
        (der.sequence(der.oid("1.2.3"), b"\x01\x01\x01", der.octet_string(der.NULL)), "default"),
        (der.extension("1.2.3", bytes.fromhex("0281011e")), "shortest form"),
        (der.extension("1.2.3", bytes.fromhex("02020001")), "shortest form"),
        (der.extension("1.2.3", bytes.fromhex("30030101aa")), "BOOLEAN"),
        (der.extension("1.2.3", bytes.fromhex("03020701")), "unused bits"),
        (der.extension("1.2.3", bytes.fromhex("0300")), "unused bits"),
        (der.extension("1.2.3", bytes.fromhex("030201fe") + bytes.fromhex("0602aa80")), "arc"),
        (der.extension("1.2.3", der.encode(der.UTC_TIME, b"2611220700Z")), "zone"),
        (der.extension("1.2.3", der.encode(der.GENERALIZED_TIME, b"20261122070000.5Z")), "zone"),
        (der.sequence(der.oid("1.2.3"), der.NULL), "tag"),
        (der.NULL, "tag"),
    ],
)
def test_what_is_looser_than_der_is_found(lan: x509.Certificate, extension: bytes, why: str):
    (found,) = rebuilt(lan, lambda extensions: extensions.append(extension))
    assert found.startswith("encoding_is_der")
    assert why in found or found.startswith("encoding_is_der: a BOOLEAN")


def test_what_is_no_certificate_at_all_is_found():
    for encoded, rule in ((b"", "encoding_is_der"), (der.NULL, "encoding_is_der"), (bytes.fromhex("3000"), "encoding")):
        (found,) = find_in_certificate(encoded, CITIZEN)
        assert found.rule.startswith(rule)
    (found,) = find_in_certificate(der.sequence(der.sequence(der.NULL)), CITIZEN)
    assert found.rule.startswith("certificate_can_be_read")


def test_an_rsa_key_of_a_person_is_accepted(lan: x509.Certificate):
    public_key = rsa.generate_private_key(65537, 2048).public_key()
    assert rules(fresh(lan, public_key=public_key)) == set()


def test_a_key_usage_that_is_not_critical_is_found(lan: x509.Certificate):
    builder = without(lan, x509.KeyUsage).add_extension(usage(content_commitment=True), critical=False)
    assert rules(builder) == {"key_usage_is_profile_and_critical"}


def test_an_extended_use_that_became_critical_is_found(lan: x509.Certificate):
    uses = lan.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    builder = without(lan, x509.ExtendedKeyUsage).add_extension(uses, critical=True)
    assert rules(builder) == {"extended_key_usage_is_profile"}


def test_a_name_in_raw_bits_is_found(lan: x509.Certificate):
    bits = x509.NameAttribute(NameOID.X500_UNIQUE_IDENTIFIER, b"\x00\x01", x509.name._ASN1Type.BitString)
    subject = x509.Name([*LAN.to_x509(), bits])
    assert rules(fresh(lan, subject=subject)) == {"subject_is_readable"}


def test_a_distribution_point_without_an_address_is_found(lan: x509.Certificate):
    point = x509.DistributionPoint(None, None, None, [x509.DirectoryName(LAN.to_x509())])
    builder = without(lan, x509.CRLDistributionPoints).add_extension(
        x509.CRLDistributionPoints([point]), critical=False
    )
    assert rules(builder) == {"crl_address_is_profile"}


@pytest.mark.parametrize(
    ("constraints", "critical", "rule"),
    [
        (x509.BasicConstraints(ca=True, path_length=1), True, "path_length_is_profile"),
        (x509.BasicConstraints(ca=True, path_length=0), False, "basic_constraints_critical"),
        (x509.BasicConstraints(ca=False, path_length=None), True, "authority_only_if_profile_says_so"),
    ],
)
def test_an_authority_with_other_constraints_is_found(constraints: x509.BasicConstraints, critical: bool, rule: str):
    certificate = authority(ProfileName.ISSUING_CITIZENS).certificate
    builder = without(certificate, x509.BasicConstraints).add_extension(constraints, critical=critical)
    assert rules(builder, ProfileName.ISSUING_CITIZENS) == {rule}


def test_an_authority_on_a_small_curve_is_found():
    certificate = authority(ProfileName.ISSUING_CITIZENS).certificate
    builder = fresh(certificate, public_key=key("small").public_key)
    assert rules(builder, ProfileName.ISSUING_CITIZENS) == {"key_is_on_an_allowed_curve"}


def retold(certificate: x509.Certificate, old: bytes, new: bytes) -> set[str]:
    """Return the findings in the certificate with some of its bytes replaced; signatures are not lint's affair."""
    encoded = certificate.public_bytes(Encoding.DER)
    assert encoded.count(old) == 1
    return {one.rule for one in find_in_certificate(encoded.replace(old, new), CITIZEN)}


@pytest.mark.filterwarnings("ignore:Parsed a serial number:Warning")
def test_a_negative_serial_number_is_found(lan: x509.Certificate):
    positive = der.integer(lan.serial_number)
    negative = positive[:2] + bytes([positive[2] | 0x80]) + positive[3:]
    assert retold(lan, positive, negative) == {"serial_is_positive_and_short"}


def test_a_version_that_is_not_3_is_found(lan: x509.Certificate):
    tbs, *rest = der.read(lan.public_bytes(Encoding.DER)).children()
    # Version 1 is the default and left out, and has no extensions.
    first = der.sequence(*(part.der for part in tbs.children() if part.tag not in {0xA0, 0xA3}))
    found = find_in_certificate(der.sequence(first, *(part.der for part in rest)), CITIZEN)
    assert "version_is_3" in {one.rule for one in found}


def test_a_list_whose_signature_broke_is_found():
    issuer = authority(ProfileName.ISSUING_CITIZENS)
    crl_der = crl(scope=der.sequence(der.encode(0x82, b"\xff")))
    broken = crl_der[:-1] + bytes([crl_der[-1] ^ 1])
    lint_crl(crl_der, issuer_certificate_der=issuer.certificate_der)
    assert crl_rules(broken) == {"signature_holds"}


def crl(
    *,
    scope: bytes | None,
    critical: bool = True,
    next_update: bool = True,
    lifetime: timedelta = timedelta(days=1),
    more: bytes = b"",
    entries: bytes = b"",
) -> bytes:
    """Return a CRL of the citizens' authority written by hand."""
    issuer = authority(ProfileName.ISSUING_CITIZENS)
    algorithm = signature_algorithm(issuer.key.public_key).der
    number = der.extension(oids.CRL_NUMBER, der.integer(1))
    point = der.extension(oids.ISSUING_DISTRIBUTION_POINT, scope, critical=critical) if scope is not None else b""
    tbs = der.sequence(
        der.integer(1),
        algorithm,
        issuer.subject_der,
        der.time(NOW),
        der.time(NOW + lifetime) if next_update else b"",
        entries,
        der.explicit(0, der.sequence(number, point, more)),
    )
    return der.sequence(tbs, algorithm, der.bit_string(issuer.key.sign(tbs)))


def crl_rules(crl_der: bytes, issuer_certificate: x509.Certificate | None = None) -> set[str]:
    issuer = issuer_certificate or authority(ProfileName.ISSUING_CITIZENS).certificate
    with pytest.raises(LintFailure) as caught:
        lint_crl(crl_der, issuer_certificate_der=issuer.public_bytes(Encoding.DER))
    return {str(one).partition(" ")[0] for one in caught.value.findings}


CA_ONLY = der.sequence(der.encode(0x82, b"\xff"))
USERS_ONLY = der.sequence(der.encode(0x81, b"\xff"))


def test_a_list_without_a_scope_or_with_one_that_may_be_overlooked_is_found():
    expected = {"scope_is_critical_and_named"}
    assert crl_rules(crl(scope=None)) == expected
    assert crl_rules(crl(scope=CA_ONLY, critical=False)) == expected
    assert crl_rules(crl(scope=USERS_ONLY)) == expected


def test_a_list_that_never_ends_or_has_ended_is_found():
    assert crl_rules(crl(scope=CA_ONLY, next_update=False)) == {"next_update_is_later"}
    assert crl_rules(crl(scope=CA_ONLY, lifetime=timedelta(0))) == {"next_update_is_later"}


def test_a_list_of_another_authority_is_found():
    assert crl_rules(crl(scope=CA_ONLY), root().certificate) == {"issuer_is_the_authority", "signature_holds"}


def test_a_list_under_another_algorithm_is_found():
    office = certify(ProfileName.AGENCY_SEAL, OFFICE).certificate
    assert crl_rules(crl(scope=CA_ONLY), office) == {"issuer_is_the_authority", "algorithm_is_the_authority's"}


def test_a_list_of_an_authority_with_a_strange_key_is_found(lan: x509.Certificate):
    strange = WRONG["key_kind_is_allowed"](lan).sign(ec.generate_private_key(ec.SECP384R1()), hashes.SHA384())
    assert crl_rules(crl(scope=CA_ONLY), strange) == {"issuer_is_the_authority", "key_kind_is_allowed"}


def test_authorities_have_keys_on_the_larger_curve():
    assert PROFILES[ProfileName.ROOT].curve is Curve.P384


def test_a_scope_of_everything_is_found_in_a_shard_and_a_shard_in_the_list_of_everything():
    issuer_der = authority(ProfileName.ISSUING_CITIZENS).certificate_der
    lint_crl(crl(scope=USERS_ONLY), issuer_certificate_der=issuer_der, whole=True)
    with pytest.raises(LintFailure):
        lint_crl(crl(scope=CA_ONLY), issuer_certificate_der=issuer_der, whole=True)


def delta(*, base: int, critical: bool = True, more: bytes = b"") -> bytes:
    """Return a list with number 1 that adds to another."""
    return crl(scope=CA_ONLY, more=der.extension(oids.DELTA_CRL_INDICATOR, der.integer(base), critical=critical) + more)


def test_a_delta_that_may_be_taken_for_a_complete_list_is_found():
    issuer_der = authority(ProfileName.ISSUING_CITIZENS).certificate_der
    lint_crl(delta(base=1), issuer_certificate_der=issuer_der)
    assert crl_rules(delta(base=1, critical=False)) == {"delta_indicator_critical"}
    assert crl_rules(delta(base=2)) == {"delta_is_not_before_its_base"}
    point = der.explicit(0, der.explicit(0, der.encode(0x86, b"http://a.example/d.crl")))
    freshest = der.extension(oids.FRESHEST_CRL, der.sequence(der.sequence(point)))
    assert crl_rules(delta(base=1, more=freshest)) == {"a_delta_names_no_delta"}


def test_an_entry_that_only_a_delta_may_have_is_found_in_a_complete_list():
    removal = der.sequence(encode_removal(5, NOW))
    assert crl_rules(crl(scope=CA_ONLY, entries=removal)) == {"only_a_delta_removes"}
