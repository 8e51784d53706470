"""CRLs are a join of stored entries under one signature, and follow one another in order."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import process_time

import pytest
from cryptography import x509

from pki import der
from pki.authority import Issuer, new_serial_number
from pki.crl import (
    LONGEST_AUTHORITY_LIFETIME,
    LONGEST_LIFETIME,
    build_crl,
    check_succession,
    delta_entries,
    missing_entries,
    serials_of,
)
from pki.errors import CrlRefused, ProfileViolation
from pki.profiles import ProfileName
from pki.revocation import RevocationReason, RevokedEntry, encode_entry
from tests.factories.pki import NOW, authority, root

POINT = "http://pki.example.com/crl/issuing_citizens/0.crl"
DAY = timedelta(days=1)
HELD = RevokedEntry(new_serial_number(), NOW, RevocationReason.CERTIFICATE_HOLD)
LOST = RevokedEntry(new_serial_number(), NOW, RevocationReason.KEY_COMPROMISE, NOW - DAY)
LEFT = RevokedEntry(new_serial_number(), NOW, RevocationReason.UNSPECIFIED)


def shard(
    *entries: RevokedEntry,
    number: int = 1,
    now: datetime = NOW,
    lifetime: timedelta = DAY,
    point: str = POINT,
    issuer: Issuer | None = None,
) -> bytes:
    return build_crl(
        map(encode_entry, entries),
        issuer=issuer or authority(ProfileName.ISSUING_CITIZENS),
        number=number,
        now=now,
        lifetime=lifetime,
        distribution_point=point,
    )


def of_root(lifetime: timedelta) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(
        build_crl((), issuer=root(), number=1, now=NOW, lifetime=lifetime, distribution_point=None, only_ca=True)
    )


def test_a_crl_says_of_each_certificate_when_and_why():
    crl = x509.load_der_x509_crl(shard(HELD, LOST, LEFT))
    found = {entry.serial_number: entry for entry in crl}
    assert set(found) == {HELD.serial_number, LOST.serial_number, LEFT.serial_number}
    lost = found[LOST.serial_number]
    assert lost.revocation_date_utc == NOW
    assert lost.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise
    invalidity = lost.extensions.get_extension_for_class(x509.InvalidityDate).value
    assert invalidity.invalidity_date_utc == NOW - DAY
    assert not list(found[LEFT.serial_number].extensions)


def test_a_crl_is_signed_numbered_and_dated():
    crl = x509.load_der_x509_crl(shard(number=300, now=NOW + timedelta(microseconds=5)))
    issuer = authority(ProfileName.ISSUING_CITIZENS)
    assert crl.is_signature_valid(issuer.certificate.public_key())  # type: ignore[arg-type]  # an elliptic-curve key
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 300
    assert (crl.last_update_utc, crl.next_update_utc) == (NOW, NOW + DAY)


def test_a_crl_of_nothing_has_no_entries():
    assert list(x509.load_der_x509_crl(shard())) == []


def test_a_shard_names_its_address_in_a_critical_scope():
    scope = x509.load_der_x509_crl(shard()).extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert scope.critical
    assert scope.value.only_contains_user_certs
    assert [name.value for name in scope.value.full_name or ()] == [POINT]


def test_a_roots_list_is_for_authorities_only_and_may_live_a_year():
    scope = of_root(LONGEST_AUTHORITY_LIFETIME).extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    assert scope.only_contains_ca_certs
    assert scope.full_name is None


@pytest.mark.parametrize("lifetime", [timedelta(0), -DAY, LONGEST_LIFETIME + timedelta(seconds=1)])
def test_a_lifetime_outside_the_limits_is_refused(lifetime: timedelta):
    with pytest.raises(ProfileViolation):
        shard(lifetime=lifetime)


def test_the_longest_lifetimes_are_allowed_and_not_a_second_more():
    assert x509.load_der_x509_crl(shard(lifetime=LONGEST_LIFETIME)).next_update_utc == NOW + LONGEST_LIFETIME
    with pytest.raises(ProfileViolation):
        of_root(LONGEST_AUTHORITY_LIFETIME + timedelta(seconds=1))


def test_numbers_begin_at_one():
    with pytest.raises(ProfileViolation):
        shard(number=0)


def test_a_first_list_follows_nothing():
    check_succession(None, shard())


def test_a_list_may_follow_with_the_next_number():
    check_succession(shard(number=7), shard(number=8, now=NOW + DAY))


SUCCESSORS = {
    "same number": lambda: shard(number=7, now=NOW + DAY),
    "falling number": lambda: shard(number=6, now=NOW + DAY),
    "older": lambda: shard(number=8, now=NOW - timedelta(seconds=1)),
    "a delta": lambda: build_crl(
        b"",
        issuer=authority(ProfileName.ISSUING_CITIZENS),
        number=8,
        now=NOW,
        lifetime=DAY,
        distribution_point=POINT,
        base_number=7,
    ),
    "another shard": lambda: shard(number=8, point=POINT.replace("/0.", "/1.")),
    "another authority": lambda: shard(number=8, issuer=authority(ProfileName.ISSUING_SEALS)),
    "not a list": lambda: b"\x30\x00",
}


@pytest.mark.parametrize("case", list(SUCCESSORS))
def test_a_list_that_does_not_follow_is_refused(case: str):
    with pytest.raises(CrlRefused):
        check_succession(shard(number=7), SUCCESSORS[case]())


def test_five_thousand_entries_are_five_thousand_entries():
    entries = [RevokedEntry(new_serial_number(), NOW, RevocationReason.SUPERSEDED) for _ in range(5000)]
    crl = x509.load_der_x509_crl(shard(*entries))
    assert len(crl) == 5000
    assert crl.get_revoked_certificate_by_serial_number(entries[-1].serial_number) is not None


@pytest.mark.parametrize(
    ("point", "only_ca", "whole"),
    [(None, False, False), (POINT, False, True), (None, True, True), (POINT, True, True)],
)
def test_a_list_has_a_scope_and_everything_has_no_other(point: str | None, only_ca: bool, whole: bool):
    with pytest.raises(ProfileViolation):
        build_crl(
            b"",
            issuer=authority(ProfileName.ISSUING_CITIZENS),
            number=1,
            now=NOW,
            lifetime=DAY,
            distribution_point=point,
            only_ca=only_ca,
            whole=whole,
        )


def test_the_list_of_everything_covers_end_entities_of_every_shard():
    crl = x509.load_der_x509_crl(
        build_crl(
            encode_entry(HELD),
            issuer=authority(ProfileName.ISSUING_CITIZENS),
            number=1,
            now=NOW,
            lifetime=DAY,
            distribution_point=None,
            whole=True,
        )
    )
    scope = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert (scope.critical, scope.value.full_name, scope.value.only_contains_user_certs) == (True, None, True)


def test_the_serials_of_a_list_are_read():
    assert serials_of(shard(HELD, LOST, LEFT)) == {one.serial_number for one in (HELD, LOST, LEFT)}
    assert serials_of(shard()) == set()


def test_entries_that_are_missing_are_found_in_whatever_order():
    assert missing_entries(shard(HELD, LOST), shard(HELD, LOST, LEFT)) == set()
    assert missing_entries(shard(HELD, LOST), shard(LEFT, LOST, HELD)) == set()
    assert missing_entries(shard(HELD, LOST, LEFT), shard(LEFT)) == {HELD.serial_number, LOST.serial_number}
    assert missing_entries(shard(HELD), shard()) == {HELD.serial_number}
    assert missing_entries(shard(), shard(HELD)) == set()


GRAVE = RevokedEntry(HELD.serial_number, NOW, RevocationReason.KEY_COMPROMISE)


def test_a_delta_adds_changes_and_takes_off():
    entries = delta_entries(shard(HELD, LEFT), shard(GRAVE, LOST), now=NOW + DAY)
    crl = x509.load_der_x509_crl(
        build_crl(
            entries,
            issuer=authority(ProfileName.ISSUING_CITIZENS),
            number=8,
            now=NOW + DAY,
            lifetime=DAY,
            distribution_point=POINT,
            base_number=7,
        )
    )
    reasons = {
        one.serial_number: one.extensions.get_extension_for_class(x509.CRLReason).value.reason.name for one in crl
    }
    assert reasons == {
        HELD.serial_number: "key_compromise",
        LOST.serial_number: "key_compromise",
        LEFT.serial_number: "remove_from_crl",
    }
    base = crl.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
    assert (base.critical, base.value.crl_number) == (True, 7)


def test_nothing_changed_is_an_empty_delta():
    assert delta_entries(shard(HELD, LOST), shard(LOST, HELD), now=NOW) == b""


def test_a_list_names_where_its_deltas_are():
    crl_der = build_crl(
        b"",
        issuer=authority(ProfileName.ISSUING_CITIZENS),
        number=1,
        now=NOW,
        lifetime=DAY,
        distribution_point=POINT,
        freshest="http://pki.example.com/crl/issuing_citizens/0-delta.crl",
    )
    (point,) = x509.load_der_x509_crl(crl_der).extensions.get_extension_for_class(x509.FreshestCRL).value
    assert [name.value for name in point.full_name or ()] == ["http://pki.example.com/crl/issuing_citizens/0-delta.crl"]


def rest_of_shape(entries: bytes) -> bytes:
    """Return what stands around the entries of a list, with these in their place."""
    tbs = [der.integer(1), *[der.sequence()] * 4, der.sequence(entries)]
    return der.sequence(der.sequence(*tbs))


@pytest.mark.parametrize(
    "crl_der",
    [
        b"",
        b"\x30\x00",
        b"\x31\x00",
        rest_of_shape(b"\x31\x03\x02\x01\x05"),
        rest_of_shape(b"\x30\x03\x04\x01\x05"),
        rest_of_shape(b"\x30\x81\x80\x02\x01\x05"),
        rest_of_shape(b"\x30\x04\x02\x01\x05"),
        rest_of_shape(b"\x30\x03\x02\x01\x05\x30\x03"),
    ],
)
def test_what_is_not_one_of_our_lists_is_refused(crl_der: bytes):
    with pytest.raises(CrlRefused):
        serials_of(crl_der)


def test_a_hundred_thousand_serials_are_read_in_time_that_grows_with_them():
    def spent(count: int) -> float:
        entries = b"".join(
            encode_entry(RevokedEntry(new_serial_number(), NOW, RevocationReason.SUPERSEDED)) for _ in range(count)
        )
        crl_der = rest_of_shape(entries)
        started = process_time()
        assert len(serials_of(crl_der)) == count
        return process_time() - started

    assert spent(100_000) < 40 * max(spent(10_000), 0.001)
