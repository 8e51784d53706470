"""The blocking checks of `pki.lint` for many certificates of one kind, at a twentieth of their cost.

The octets that will be signed are taken apart by our own strict reader. What differs from one to the next (serial
number, validity, subject, key, key identifier) is checked each time. What is left is the same for thousands: it goes
through the whole of `pki.lint`, on a twin signed with a throwaway key, the first time that exactly these octets are
seen, and is only compared from then on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from copy import copy
from datetime import datetime
from functools import cache, lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki import der, oids
from pki.errors import LintFailure
from pki.keys import Curve, SoftwareKey
from pki.keys.signing import CURVES, public_key_of, read_spki, signature_algorithm
from pki.lint import LONGEST_BACKDATE, LONGEST_TEXT, Circumstances, Finding, find_in_certificate
from pki.names import COUNTRY
from pki.profiles import Profile

_VERSION_3: Final = bytes.fromhex("a003020102")
_SERIAL_OCTETS: Final = range(1, 21)
_COUNTRY: Final = der.oid("2.5.4.6")
_COMMON_NAME: Final = der.oid("2.5.4.3")
_SERIAL_NUMBER: Final = der.oid("2.5.4.5")
_DIGITS: Final = {der.UTC_TIME: 12, der.GENERALIZED_TIME: 14}


class BulkLint:
    """Checks certificates of one profile under one issuer."""

    def __init__(self, profile: Profile, issuer_certificate_der: bytes, *, now: datetime) -> None:
        issuer = x509.load_der_x509_certificate(issuer_certificate_der)
        self._profile, self._issuer_der, self._now = profile, issuer_certificate_der, now
        self._issuer_name = issuer.subject.public_bytes()
        self._issuer_ends = issuer.not_valid_after_utc
        self._algorithm = signature_algorithm(public_key_of(issuer))
        # Octets that were found clean by the whole of the lint.
        self._clean: set[tuple[bytes, bytes, str | None]] = set()

    def at(self, now: datetime) -> BulkLint:
        """Return the same checks for another time; what was found clean stays so, for no extension is about `now`."""
        moved = copy(self)
        moved._now = now
        return moved

    def check(self, tbs_der: bytes, *, crl: str | None) -> None:
        """Return if nothing is wrong with a TBSCertificate; `crl` as in `Circumstances`. Raises LintFailure."""
        try:
            findings = list(self._find(tbs_der, crl))
        except der.DerError as error:
            raise LintFailure([Finding(f"encoding_is_der: {error}", "RFC 5280, 4.1")]) from error
        if findings:
            raise LintFailure(findings)

    def _find(self, tbs_der: bytes, crl: str | None) -> Iterator[Finding]:
        parts = der.read(tbs_der).expect(der.SEQUENCE).children()
        if len(parts) != 8:
            raise der.DerError("a certificate of ours has eight parts")
        version, serial, algorithm, issuer, validity, subject, spki, extensions = parts
        if version.der != _VERSION_3:
            yield Finding("version_is_3", "RFC 5280, 4.1.2.1")
        if not (serial.as_integer() > 0 and len(serial.body) in _SERIAL_OCTETS):
            yield Finding("serial_is_positive_and_short", "RFC 5280, 4.1.2.2")
        if algorithm.der != self._algorithm.der:
            yield Finding("algorithm_is_the_authority's", "RFC 5280, 4.1.1.2")
        if issuer.der != self._issuer_name:
            yield Finding("issuer_is_the_authority", "RFC 5280, 4.1.2.4")
        yield from self._validity(validity)
        yield from _subject(subject)
        key_digest, key_findings = _key(spki)
        yield from key_findings
        yield from self._extensions(extensions, key_digest, tbs_der, crl)

    def _validity(self, validity: der.Element) -> Iterator[Finding]:
        first, last = validity.expect(der.SEQUENCE).children()
        begins, ends = _time(first), _time(last)
        if not begins <= self._now <= begins + LONGEST_BACKDATE:
            yield Finding("validity_begins_now", "RFC 5280, 4.1.2.5")
        if not begins < ends:
            yield Finding("validity_runs_forward", "RFC 5280, 4.1.2.5")
        if ends - begins > self._profile.validity:
            yield Finding("validity_is_within_profile", "profile")
        if ends > self._issuer_ends:
            yield Finding("validity_ends_before_the_issuer's", "RFC 5280, 6.1.3")

    def _extensions(self, tagged: der.Element, key_digest: bytes, tbs_der: bytes, crl: str | None) -> Iterator[Finding]:
        identifier = der.extension(oids.SUBJECT_KEY_IDENTIFIER, der.octet_string(key_digest))
        before, found, after = tagged.expect(0xA3).der.partition(identifier)
        if not found:
            yield Finding("subject_key_identifier_is_method_1", "RFC 5280, 4.2.1.2")
            return
        # The same octets around the identifier are the same extensions: what was said of them holds.
        if (before, after, crl) not in self._clean:
            circumstances = Circumstances(self._issuer_der, self._now, crl)
            findings = find_in_certificate(self._twin(tbs_der), self._profile, circumstances)
            yield from findings
            if not findings:
                self._clean.add((before, after, crl))

    def _twin(self, tbs_der: bytes) -> bytes:
        # An ECDSA AlgorithmIdentifier names the hash and not the curve (RFC 5758, 3.2): signed with P-256 the twin has
        # the very bytes that a P-384 authority will sign, for a seventh of the time.
        signature = throwaway_key().sign(tbs_der, hash=self._algorithm.hash)
        return der.sequence(tbs_der, self._algorithm.der, der.bit_string(signature))


@cache
def throwaway_key() -> SoftwareKey:
    """Return one key for the twins of this process; its signatures never leave it."""
    return SoftwareKey.generate(Curve.P256)


def _subject(subject: der.Element) -> Iterator[Finding]:
    found = []
    for relative in subject.expect(der.SEQUENCE).children():
        kind, findings = _relative_name(relative.der)
        found.append(kind)
        yield from findings
    if found.count(_COUNTRY) != 1 or found.count(_COMMON_NAME) != 1:
        yield Finding("subject_has_one_country_and_common_name", "EN 319 412-2, 4.2.4")


# The same octets get the same answer: countries, agencies, surnames and given names come back thousands of times.
@lru_cache(maxsize=4096)
def _relative_name(encoded: bytes) -> tuple[bytes, tuple[Finding, ...]]:
    """Return the encoded kind of the one attribute in a RelativeDistinguishedName, and what is wrong with it."""
    (attribute,) = der.read(encoded).expect(der.SET).children()
    kind, value = attribute.expect(der.SEQUENCE).children()
    return kind.der, tuple(_attribute(kind.der, _text(value)))


def _attribute(kind_der: bytes, text: str) -> Iterator[Finding]:
    if not text.strip() or not text.isprintable():
        yield Finding("subject_is_readable", "RFC 5280, 4.1.2.6")
    if len(text) > LONGEST_TEXT:
        yield Finding("subject_is_within_bounds", "RFC 5280, appendix A.1")
    if kind_der == _COUNTRY and text != COUNTRY:
        yield Finding("country_is_ours", "profile")
    # A national number would stand in every public PDF for ever.
    if kind_der == _SERIAL_NUMBER and not text.startswith("XX:VN-"):
        yield Finding("identifier_is_opaque", "EN 319 412-1, 5.1.3")


def _text(value: der.Element) -> str:
    if value.tag not in {der.UTF8_STRING, der.PRINTABLE_STRING}:
        raise der.DerError("text that is neither UTF8String nor PrintableString")
    try:
        return value.body.decode("utf-8" if value.tag == der.UTF8_STRING else "ascii")
    except UnicodeDecodeError as error:
        raise der.DerError("text in another encoding than it says") from error


def _key(spki: der.Element) -> tuple[bytes, list[Finding]]:
    """Return SHA-1 over the bits of the key, and what is wrong with it."""
    _, bits = spki.expect(der.SEQUENCE).children()
    digest = hashlib.sha1(bits.expect(der.BIT_STRING).body[1:], usedforsecurity=False).digest()
    try:
        key = read_spki(spki.der)
    except (ValueError, UnsupportedAlgorithm):
        return digest, [Finding("key_can_be_read", "RFC 5280, 4.1.2.7")]
    if isinstance(key, ec.EllipticCurvePublicKey):
        return digest, [] if key.curve.name in CURVES else [Finding("key_is_on_an_allowed_curve", "profile")]
    return digest, [] if isinstance(key, rsa.RSAPublicKey) else [Finding("key_kind_is_allowed", "profile")]


def _time(element: der.Element) -> datetime:
    """Return a Time of RFC 5280, 4.1.2.5. (`strptime` costs ten times as much, and takes “1” for “01”.)"""
    text, digits = element.body[:-1], _DIGITS.get(element.tag)
    if len(text) != digits or not text.isdigit() or element.body[-1:] != b"Z":
        raise der.DerError("not a time of RFC 5280")
    plain = text.decode()
    if digits == 12:
        # RFC 5280, 4.1.2.5.1.
        plain = ("20" if plain < "5" else "19") + plain
    try:
        return datetime.fromisoformat(f"{plain[:8]}T{plain[8:]}+00:00")
    except ValueError as error:
        raise der.DerError("not a time") from error
