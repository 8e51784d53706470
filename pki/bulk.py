"""Preparing many certificates of one profile: what they share is encoded once, the rest is linted one by one.

What comes out is byte for byte what `pki.authority.prepare` makes of the same input (tests/pki/test_bulk.py holds it
to that), at a tenth of its cost. Signing is one call of the key for each; `assemble` puts the certificate together.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from copy import copy
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from pki import der, oids
from pki.authority import BACKDATE, IssuerUrls, PreparedCertificate, check_fit, extensions_of
from pki.errors import ProfileViolation, SignatureMismatch
from pki.keys import PublicKey, signature_algorithm
from pki.keys.signing import check_signature, public_key_of
from pki.lint_bulk import BulkLint, throwaway_key
from pki.names import SubjectName, encode_name
from pki.profiles import Profile, ProfileName

_VERSION_3: Final = der.explicit(0, der.integer(2))
_SECOND: Final = timedelta(seconds=1)


class BulkPreparer:
    """Prepares certificates of one profile under one authority, all beginning at one time."""

    def __init__(
        self,
        profile: Profile,
        *,
        issuer_certificate_der: bytes,
        issuer_profile: ProfileName,
        now: datetime,
        urls_of_shard: Callable[[int], IssuerUrls],
    ) -> None:
        """`urls_of_shard` gives the addresses of a shard. Raises ProfileViolation for an RSA authority."""
        issuer = x509.load_der_x509_certificate(issuer_certificate_der)
        key = public_key_of(issuer)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise ProfileViolation("certificates are made in bulk by authorities with elliptic curves only")
        self._profile, self._issuer, self._issuer_profile = profile, issuer, issuer_profile
        self._urls_of_shard = urls_of_shard
        self._algorithm = signature_algorithm(key)
        self._issuer_name = issuer.subject.public_bytes()
        self._digest = profile.digest
        self._around: dict[int, tuple[bytes, bytes, str | None]] = {}
        self._lint = BulkLint(profile, issuer_certificate_der, now=now)
        self._begin(now)

    def at(self, now: datetime) -> BulkPreparer:
        """Return a preparer for certificates that begin at another time; what was encoded and linted once is kept."""
        moved = copy(self)
        moved._lint = self._lint.at(now)
        moved._begin(now)
        if self._profile.private_key_usage is not None:
            # Its period begins with the certificate and stands in an extension.
            moved._around = {}
        return moved

    def _begin(self, now: datetime) -> None:
        self._now, self._not_before = now, now.replace(microsecond=0) - BACKDATE
        self._begins = der.time(self._not_before)
        self._full_life = min(self._not_before + self._profile.validity - _SECOND, self._issuer.not_valid_after_utc)

    def prepare(
        self,
        subject: SubjectName,
        spki_der: bytes,
        *,
        serial_number: int,
        shard: int,
        not_after_limit: datetime | None = None,
    ) -> PreparedCertificate:
        """Return the linted to-be-signed certificate for the key in `spki_der` (SubjectPublicKeyInfo).

        Raises ProfileViolation and LintFailure as `pki.authority.prepare` does.
        """
        not_after = self._full_life
        if not_after_limit is not None:
            not_after = min(not_after, not_after_limit.replace(microsecond=0))
        if not_after <= self._now:
            raise ProfileViolation("the certificate would end before it begins")
        if type(subject) is not self._profile.subject:
            raise ProfileViolation(f"{self._profile.name} is not for a {type(subject).__name__}")
        before, after, crl = self._extensions_around_key_identifier(shard)
        tbs_der = der.sequence(
            _VERSION_3,
            der.integer(serial_number),
            self._algorithm.der,
            self._issuer_name,
            der.sequence(self._begins, der.time(not_after)),
            encode_name(subject),
            spki_der,
            der.explicit(3, der.sequence(before, _key_identifier(spki_der), after)),
        )
        self._lint.check(tbs_der, crl=crl)
        return PreparedCertificate(
            self._profile.name, self._digest, serial_number, self._not_before, not_after, tbs_der
        )

    def _extensions_around_key_identifier(self, shard: int) -> tuple[bytes, bytes, str | None]:
        """Return the encoded extensions before and after subjectKeyIdentifier, the only one that differs in a shard.

        And the address of the shard's list, None if the profile has no list.
        """
        if shard not in self._around:
            urls = self._urls_of_shard(shard)
            some_key = throwaway_key().public_key
            check_fit(self._profile, self._profile.subject, some_key, self._issuer_profile, urls)
            encoded = [
                (one.oid, der.extension(one.oid.dotted_string, one.public_bytes(), critical=critical))
                for one, critical in extensions_of(self._profile, some_key, self._issuer, self._not_before, urls)
            ]
            at = [oid for oid, _ in encoded].index(x509.SubjectKeyIdentifier.oid)
            parts = [part for _, part in encoded]
            crl = urls.crl if self._profile.has_crl else None
            self._around[shard] = (b"".join(parts[:at]), b"".join(parts[at + 1 :]), crl)
        return self._around[shard]


def assemble(tbs_der: bytes, signature: bytes, algorithm_der: bytes) -> bytes:
    """Return the certificate in DER: the prepared bytes, the issuer's AlgorithmIdentifier, the signature over them."""
    return der.sequence(tbs_der, algorithm_der, der.bit_string(signature))


def check_sample(certificates_der: Sequence[bytes], issuer_key: PublicKey, *, every: int = 64) -> None:
    """Verify the signatures of one certificate in `every`, chosen by chance, and of the first and the last.

    Reading back every one would cost twice what signing costs with P-384; a fault of the key or the memory that
    touches more than a few is found here, a single one by the check of the whole register. Raises SignatureMismatch.
    """
    if not certificates_der:
        return
    chosen = random.sample(certificates_der, len(certificates_der) // every)
    for certificate_der in {certificates_der[0], certificates_der[-1], *chosen}:
        certificate = x509.load_der_x509_certificate(certificate_der)
        if certificate.signature_algorithm_oid.dotted_string != signature_algorithm(issuer_key).oid:
            raise SignatureMismatch("the algorithm is not the issuer's")
        check_signature(issuer_key, certificate.signature, certificate.tbs_certificate_bytes)


def _key_identifier(spki_der: bytes) -> bytes:
    # Method 1 of RFC 5280, 4.2.1.2: SHA-1 over the bits of the key, without tag, length and count of unused bits.
    bits = der.read(spki_der).children()[1].expect(der.BIT_STRING).body[1:]
    digest = hashlib.sha1(bits, usedforsecurity=False).digest()
    return der.extension(oids.SUBJECT_KEY_IDENTIFIER, der.octet_string(digest))
