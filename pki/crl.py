"""Certificate revocation lists, put together from stored entries and signed once (RFC 5280, 5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from pki import der, oids
from pki.authority import Issuer
from pki.errors import CrlRefused, ProfileViolation
from pki.keys import signature_algorithm
from pki.lint import lint_crl

LONGEST_LIFETIME: Final = timedelta(days=7)
# An authority's certificate is revoked once in a decade: its list may live longer (Baseline Requirements, 4.9.7).
LONGEST_AUTHORITY_LIFETIME: Final = timedelta(days=366)


def build_crl(
    entries_der: Iterable[bytes],
    *,
    issuer: Issuer,
    number: int,
    now: datetime,
    lifetime: timedelta,
    distribution_point: str | None,
    only_ca: bool = False,
) -> bytes:
    """Return a complete CRL of one shard, in DER, signed and linted.

    `entries_der` are the outcomes of `revocation.encode_entry` for every unexpired revoked certificate of the shard, in
    any order. `number` must be over that of any CRL of the shard before (5.2.3). `distribution_point` is the address
    that the certificates of the shard carry; it stands in a critical issuingDistributionPoint (5.2.5). None is for the
    list of a root with `only_ca`, which must also cover the root itself, whose certificate names no address.
    `thisUpdate` is `now`, `nextUpdate` `now + lifetime`, in whole seconds.

    Raises ProfileViolation if `lifetime` is over 7 days (366 for `only_ca`) or `number` is not positive, LintFailure,
    KeyUnavailable.
    """
    longest = LONGEST_AUTHORITY_LIFETIME if only_ca else LONGEST_LIFETIME
    if not timedelta(0) < lifetime <= longest:
        raise ProfileViolation(f"a CRL may live up to {longest}, not {lifetime}")
    if number < 1:
        raise ProfileViolation("the number of a CRL begins at 1")
    entries = b"".join(entries_der)
    algorithm = signature_algorithm(issuer.key.public_key)
    extensions = der.sequence(
        der.extension(oids.AUTHORITY_KEY_IDENTIFIER, der.sequence(der.encode(0x80, issuer.key_identifier))),
        der.extension(oids.CRL_NUMBER, der.integer(number)),
        der.extension(oids.ISSUING_DISTRIBUTION_POINT, _scope(distribution_point, only_ca=only_ca), critical=True),
    )
    tbs = der.sequence(
        der.integer(1),
        algorithm.der,
        issuer.subject_der,
        der.time(now),
        der.time(now + lifetime),
        # Absent, not empty, when nothing is revoked (5.1.2.6).
        der.sequence(entries) if entries else b"",
        der.explicit(0, extensions),
    )
    crl_der = der.sequence(tbs, algorithm.der, der.bit_string(issuer.key.sign(tbs)))
    lint_crl(crl_der, issuer_certificate_der=issuer.certificate_der)
    return crl_der


def _scope(distribution_point: str | None, *, only_ca: bool) -> bytes:
    # distributionPoint [0] { fullName [0] { URI [6] } }, then onlyContainsUserCerts [1] or onlyContainsCACerts [2].
    point = b""
    if distribution_point is not None:
        point = der.explicit(0, der.explicit(0, der.encode(0x86, distribution_point.encode("ascii"))))
    return der.sequence(point, der.encode(0x82 if only_ca else 0x81, b"\xff"))


def check_succession(previous_der: bytes | None, next_der: bytes) -> None:
    """Return if `next_der` may be published after `previous_der` (None: nothing was published yet).

    Raises CrlRefused if its number is not greater, its issuer or distribution point is another, it is older, or one
    of the two is not a CRL.
    """
    if previous_der is None:
        return
    previous, following = _facts(previous_der), _facts(next_der)
    if following.issuer_der != previous.issuer_der:
        raise CrlRefused("the issuer is another")
    if following.scope != previous.scope:
        raise CrlRefused("the distribution point is another")
    if following.number <= previous.number:
        raise CrlRefused("the number does not rise")
    if following.this_update < previous.this_update:
        raise CrlRefused("the list is older")


@dataclass(frozen=True)
class _Facts:
    issuer_der: bytes
    scope: x509.IssuingDistributionPoint
    number: int
    this_update: datetime


def _facts(crl_der: bytes) -> _Facts:
    try:
        crl = x509.load_der_x509_crl(crl_der)
        scope = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
        number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except (ValueError, x509.ExtensionNotFound) as error:
        raise CrlRefused("not a list with a number and a scope") from error
    return _Facts(crl.issuer.public_bytes(), scope, number, crl.last_update_utc)
