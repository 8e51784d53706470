"""Time-stamp protocol, RFC 3161 with ESSCertIDv2 (RFC 5816), from the side of the client: tokens read and checked.

Tokens are made by `pki.tsa_unit`, by hand and apart from this, so that one mistake cannot hide in both; its names can
be had from here too.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from asn1crypto import cms, core, tsp, x509
from cryptography import x509 as pyca_x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from pki.errors import TimestampRefused
from pki.tsa_unit import MAXIMUM_REQUEST, TimestampFailure, TimestampRequest, TsaUnit, parse_request, refuse, respond

MAXIMUM_RESPONSE: Final = 65536
_HASHES: Final = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


@dataclass(frozen=True)
class Token:
    """What a timestamp token says; `signer_der` is the certificate whose key made it, not yet judged."""

    gen_time: datetime
    serial_number: int
    policy_oid: str
    hash_algorithm: str
    imprint: bytes
    signer_der: bytes
    certificates_der: tuple[bytes, ...]


class _Response(core.Sequence):  # type: ignore[misc]  # asn1crypto is not typed
    """TimeStampResp with its token OPTIONAL, as RFC 3161, 2.4.2 has it; asn1crypto's own demands one."""

    _fields = [  # noqa: RUF012  the form of asn1crypto
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


def token_from_response(response_der: bytes, *, request_der: bytes) -> bytes:
    """Return the DER token of a TimeStampResp after checking that it answers `request_der`.

    Checked: granted, same imprint, nonce, signature of the certificate inside, ESS certificate id, its key usage.
    Not checked: whether that certificate is trusted. Raises TimestampRefused.
    """
    request = parse_request(request_der)
    if len(response_der) > MAXIMUM_RESPONSE:
        raise TimestampRefused(TimestampFailure.BAD_TOKEN)
    try:
        response = _Response.load(response_der, strict=True)
        granted = response["status"]["status"].native in ("granted", "granted_with_mods")
        failures: set[str] = set(response["status"]["fail_info"].native or ())
        token_der = response["time_stamp_token"].dump() if granted else b""
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise TimestampRefused(TimestampFailure.BAD_TOKEN) from error
    if not granted:
        known = sorted(failures & {failure.value for failure in TimestampFailure})
        raise TimestampRefused(TimestampFailure(known[0]) if known else TimestampFailure.BAD_TOKEN)
    token = read_token(token_der)
    if token.hash_algorithm != request.hash_algorithm or token.imprint != request.imprint:
        raise TimestampRefused(TimestampFailure.BAD_TOKEN)
    if _nonce_of(token_der) != request.nonce:
        raise TimestampRefused(TimestampFailure.BAD_TOKEN)
    return token_der


def read_token(token_der: bytes) -> Token:
    """Read a TimeStampToken and verify its signature by the certificate it carries. Raises TimestampRefused(BAD_TOKEN).

    Whether that certificate is trusted, and was at `gen_time`, is a question for `pki.chains`.
    """
    try:
        return _read_token(token_der)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, InvalidSignature) as error:
        raise TimestampRefused(TimestampFailure.BAD_TOKEN) from error


def _read_token(token_der: bytes) -> Token:
    """Steps of RFC 3161, 2.2 and RFC 5652, 5.6; ValueError stands for every mismatch."""
    signed = cms.ContentInfo.load(token_der, strict=True)["content"]
    # 1. One signer, and TSTInfo inside.
    (signer,) = signed["signer_infos"]
    _demand(signed["encap_content_info"]["content_type"].native == "tst_info")
    content_der = signed["encap_content_info"]["content"].contents
    info = tsp.TSTInfo.load(content_der, strict=True)
    # 2. The signer's certificate is inside and named by the ESS attribute.
    certificates = [choice.chosen for choice in signed["certificates"] or ()]
    ders = tuple(certificate.dump() for certificate in certificates)
    # Written under [0], signed as a SET. Taken before they are read: what was read is encoded anew, which costs more
    # than all the rest.
    signed_der = b"\x31" + signer["signed_attrs"].dump()[1:]
    attributes = _single_values(signer["signed_attrs"])
    certificate = _signer_certificate(signer, certificates)
    _demand(_names_certificate(attributes, certificate.dump()))
    # 3. The attributes cover the content, the signature covers the attributes.
    name = signer["digest_algorithm"]["algorithm"].native
    _demand(name in _HASHES)
    _demand(attributes["content_type"].native == "tst_info")
    _demand(hmac.compare_digest(attributes["message_digest"].native, hashlib.new(name, content_der).digest()))
    _verify(certificate.dump(), signer["signature"].native, signed_der, name)
    imprint = info["message_imprint"]
    return Token(
        gen_time=info["gen_time"].native,
        serial_number=info["serial_number"].native,
        policy_oid=info["policy"].dotted,
        hash_algorithm=imprint["hash_algorithm"]["algorithm"].native,
        imprint=imprint["hashed_message"].native,
        signer_der=certificate.dump(),
        certificates_der=ders,
    )


def _demand(holds: bool) -> None:
    if not holds:
        raise ValueError("the token contradicts itself")


def _single_values(attributes: Sequence[cms.CMSAttribute]) -> dict[str, core.Asn1Value]:
    """Return attribute values by type; a type that stands twice, or with two values, is refused (RFC 5652, 11)."""
    values: dict[str, core.Asn1Value] = {}
    for attribute in attributes:
        _demand(attribute["type"].native not in values and len(attribute["values"]) == 1)
        values[attribute["type"].native] = attribute["values"][0]
    return values


def _signer_certificate(signer: cms.SignerInfo, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    wanted = signer["sid"].chosen
    found = [
        candidate
        for candidate in certificates
        if isinstance(wanted, cms.IssuerAndSerialNumber)
        and candidate.serial_number == wanted["serial_number"].native
        # The same octets first: names prepared for comparison (RFC 5280, 7.1) are slow.
        and (candidate.issuer.dump() == wanted["issuer"].dump() or candidate.issuer == wanted["issuer"])
    ]
    _demand(bool(found))
    return found[0]


def _names_certificate(attributes: dict[str, core.Asn1Value], certificate_der: bytes) -> bool:
    """Return whether the first ESSCertIDv2 (RFC 5816) or ESSCertID (RFC 2634, SHA-1) is of this certificate."""
    if "signing_certificate_v2" in attributes:
        first = attributes["signing_certificate_v2"]["certs"][0]
        name = first["hash_algorithm"]["algorithm"].native
    else:
        first, name = attributes["signing_certificate"]["certs"][0], "sha1"
    return hmac.compare_digest(first["cert_hash"].native, hashlib.new(name, certificate_der).digest())


def _verify(certificate_der: bytes, signature: bytes, signed: bytes, hash_name: str) -> None:
    key = pyca_x509.load_der_x509_certificate(certificate_der).public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(_HASHES[hash_name]))
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, signed, padding.PKCS1v15(), _HASHES[hash_name])
    else:
        raise InvalidSignature


def _nonce_of(token_der: bytes) -> int | None:
    info = tsp.TSTInfo.load(cms.ContentInfo.load(token_der)["content"]["encap_content_info"]["content"].contents)
    nonce: int | None = info["nonce"].native
    return nonce


__all__ = [
    "MAXIMUM_REQUEST",
    "MAXIMUM_RESPONSE",
    "TimestampFailure",
    "TimestampRequest",
    "Token",
    "TsaUnit",
    "parse_request",
    "read_token",
    "refuse",
    "respond",
    "token_from_response",
]
