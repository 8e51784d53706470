"""Looking at `status` from outside, as people's programs do: fetch, check the signature, judge the age."""

from __future__ import annotations

import secrets
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp

from app.status.clock_guard import MACHINE
from app.status.expected import Expected, ExpectedAuthority
from app.status.findings import Finding, Kind, by_age, by_days_left, fine, wrong
from app.status.wire import prefix_of
from pki import der, oids
from pki.errors import PkiError
from pki.ocsp import HashName, issuer_id
from pki.tsa import read_token, token_from_response

RESPONDER_LEFT: Final = timedelta(days=10)
UNIT_LEFT: Final = timedelta(days=30)
_CLOCK: Final = timedelta(seconds=2)
_PATIENCE: Final = 10.0
_LARGEST: Final = 64_000_000
# What reading what came can raise.
_UNREADABLE: Final = (ValueError, TypeError, InvalidSignature, PkiError, x509.ExtensionNotFound)


class Unreachable(Exception):
    """An address gave no answer, or another than 200."""


@dataclass(frozen=True)
class Outside:
    """One look at the addresses below `url`, with `now` of the one who looks."""

    url: str
    expected: Expected
    clock: Callable[[], datetime] = MACHINE.day

    def findings(self) -> Iterator[Finding]:
        """Give a finding for each thing, as it is looked at."""
        yield self._tried("service", Kind.SERVICE, self._service)
        for authority in self.expected.authorities:
            yield from self._authority(authority)
        yield self._tried("tsa", Kind.TIMESTAMP, self._timestamp)
        yield by_days_left("unit", Kind.UNIT, self.expected.unit_ends, UNIT_LEFT, self.clock())

    def _authority(self, one: ExpectedAuthority) -> Iterator[Finding]:
        yield self._tried(f"ca/{one.name}", Kind.CERTIFICATE, partial(self._certificate, one=one))
        for name, number in one.lists.items():
            yield self._tried(f"crl/{one.name}/{name}", Kind.LIST, partial(self._list, one=one, least=number))
        if one.known_serial is not None:
            yield self._tried(f"ocsp/{one.name}", Kind.OCSP, partial(self._ocsp, one=one, nonce=None))
            nonce = der.octet_string(secrets.token_bytes(32))
            yield self._tried(f"ocsp/{one.name}/nonce", Kind.OCSP, partial(self._ocsp, one=one, nonce=nonce))
        yield by_days_left(f"responder/{one.name}", Kind.RESPONDER, one.responder_ends, RESPONDER_LEFT, self.clock())

    def _tried(self, target: str, kind: Kind, look: Callable[[str], Finding]) -> Finding:
        try:
            return look(target)
        except Unreachable as error:
            return wrong(target, kind, str(error))
        except _UNREADABLE as error:
            return wrong(target, kind, f"cannot be accepted: {type(error).__name__}")

    def _service(self, target: str) -> Finding:
        return fine(target, Kind.SERVICE, self._fetch("/healthz").decode("utf-8", "replace")[:40])

    def _certificate(self, target: str, one: ExpectedAuthority) -> Finding:
        if self._fetch(f"/ca/{one.name}.cer") != one.certificate_der:
            return wrong(target, Kind.CERTIFICATE, "another certificate than the register's")
        ends = x509.load_der_x509_certificate(one.certificate_der).not_valid_after_utc
        return fine(target, Kind.CERTIFICATE, "as in the register", ends)

    def _list(self, target: str, one: ExpectedAuthority, least: int) -> Finding:
        found = x509.load_der_x509_crl(self._fetch(f"/{target}.crl"))
        number = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        key = x509.load_der_x509_certificate(one.certificate_der).public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey) or not found.is_signature_valid(key):
            return wrong(target, Kind.LIST, "signature does not hold")
        if number < least or found.next_update_utc is None:
            return wrong(target, Kind.LIST, f"no. {number}, the register has no. {least}")
        return by_age(target, Kind.LIST, f"no. {number}", found.last_update_utc, found.next_update_utc, self.clock())

    def _ocsp(self, target: str, one: ExpectedAuthority, nonce: bytes | None) -> Finding:
        prefix = prefix_of(issuer_id(one.certificate_der, HashName.SHA1))
        found = ocsp.load_der_ocsp_response(self._fetch("/ocsp", ocsp_request(prefix, one.known_serial or b"", nonce)))
        if found.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return wrong(target, Kind.OCSP, found.response_status.name.lower())
        _check_responder(found, x509.load_der_x509_certificate(one.certificate_der))
        if nonce is not None and found.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce != nonce[2:]:
            return wrong(target, Kind.OCSP, "another nonce than was sent")
        if found.certificate_status is ocsp.OCSPCertStatus.UNKNOWN or found.next_update_utc is None:
            return wrong(target, Kind.OCSP, "a certificate in the register is unknown")
        return by_age(
            target, Kind.OCSP, found.certificate_status.name.lower(), found.this_update_utc, found.next_update_utc,
            self.clock(),
        )  # fmt: skip

    def _timestamp(self, target: str) -> Finding:
        request = _timestamp_request(secrets.token_bytes(32))
        before = self.clock()
        token = read_token(token_from_response(self._fetch("/tsa", request), request_der=request))
        if token.signer_der != self.expected.unit_der:
            return wrong(target, Kind.TIMESTAMP, "signed with another certificate than the register's")
        # Times of tokens are whole seconds.
        if not before - _CLOCK - timedelta(seconds=1) <= token.gen_time <= self.clock() + _CLOCK:
            return wrong(target, Kind.TIMESTAMP, "the clock is off by more than two seconds")
        return fine(target, Kind.TIMESTAMP, "granted, the clock agrees")

    def _fetch(self, path: str, body: bytes | None = None) -> bytes:
        """Return the body of a 200. Raises Unreachable."""
        request = urllib.request.Request(f"{self.url}{path}", data=body)  # noqa: S310  an address of our settings
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310  as above
                content: bytes = answer.read(_LARGEST)
                return content
        except urllib.error.HTTPError as error:
            raise Unreachable(f"HTTP {error.code}") from error
        except (OSError, ValueError) as error:
            raise Unreachable(f"no answer: {type(error).__name__}") from error


def _check_responder(found: ocsp.OCSPResponse, authority: x509.Certificate) -> None:
    """Return if the answer is signed by a responder of this authority. Raises InvalidSignature, ValueError."""
    (responder,) = found.certificates
    responder.verify_directly_issued_by(authority)
    key, algorithm = responder.public_key(), found.signature_hash_algorithm
    if algorithm is None:
        raise InvalidSignature
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(found.signature, found.tbs_response_bytes, ec.ECDSA(algorithm))
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(found.signature, found.tbs_response_bytes, padding.PKCS1v15(), algorithm)
    else:
        raise InvalidSignature


def ocsp_request(prefix: bytes, serial: bytes, nonce: bytes | None) -> bytes:
    """Return an OCSPRequest for one certificate; `nonce` is the value of the extension, an OCTET STRING in DER."""
    asked = der.sequence(der.sequence(der.sequence(prefix, der.encode(der.INTEGER, serial))))
    if nonce is not None:
        asked += der.explicit(2, der.sequence(der.extension(oids.OCSP_NONCE, nonce)))
    return der.sequence(der.sequence(asked))


def _timestamp_request(data: bytes) -> bytes:
    """Return a TimeStampReq for `data` by SHA-256, with a nonce and the wish for certificates (RFC 3161, 2.4.1)."""
    imprint = der.sequence(der.sequence(der.oid(oids.SHA256), der.NULL), der.octet_string(sha256(data).digest()))
    return der.sequence(der.integer(1), imprint, der.integer(secrets.randbits(64)), der.TRUE)
