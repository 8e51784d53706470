"""Paths to explicit roots, judged at a moment: what is missing or unclear is never "valid"."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pki.chains import PathVerdict, Purpose, StatusEvidence, TrustStore
from pki.crl import build_crl
from pki.keys import SoftwareKey
from pki.profiles import ProfileName
from pki.revocation import RevocationReason, RevokedEntry, encode_entry
from tests.factories import pdfs
from tests.factories import pki as factory
from tests.factories.paths import NOW, OFFICIALS, POINT, SIGNS, judge, made, officials_list, root_list, usage, with_list


@pytest.fixture(scope="module")
def leaf() -> factory.Leaf:
    return pdfs.signer()


def test_a_path_is_valid_and_named_from_the_end_up(leaf: factory.Leaf) -> None:
    result = judge(leaf.certificate_der)
    assert result.verdict is PathVerdict.VALID
    assert result.chain_der == (leaf.certificate_der, leaf.issuer.certificate_der)
    assert result.root_der == factory.root().certificate_der


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
