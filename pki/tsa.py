"""Time-stamp protocol, RFC 3161 with ESSCertIDv2 (RFC 5816): requests read strictly, answers built, tokens checked.

Not here: the clock's health and the uniqueness of serial numbers; the process that holds the key answers for both.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from asn1crypto import cms, core, tsp, x509
from cryptography import x509 as pyca_x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from pki.errors import TimestampRefused
from pki.keys import SigningKey

MAXIMUM_REQUEST: Final = 4096
MAXIMUM_RESPONSE: Final = 65536
_MAXIMUM_NONCE_BITS: Final = 256
_IMPRINT_LENGTHS: Final = {"sha256": 32, "sha384": 48, "sha512": 64}
_HASHES: Final = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


class TimestampFailure(StrEnum):
    """PKIFailureInfo as RFC 3161, 2.4.2 names it, in the spelling of asn1crypto; the last is only ours."""

    BAD_ALGORITHM = "bad_alg"
    BAD_REQUEST = "bad_request"
    BAD_DATA_FORMAT = "bad_data_format"
    TIME_NOT_AVAILABLE = "time_not_available"
    UNACCEPTED_POLICY = "unaccepted_policy"
    UNACCEPTED_EXTENSION = "unaccepted_extensions"
    SYSTEM_FAILURE = "system_failure"
    # A token that a client received and cannot accept; never sent.
    BAD_TOKEN = "bad_token"  # noqa: S105  a code, not a secret


@dataclass(frozen=True)
class TimestampRequest:
    # "sha256", "sha384" or "sha512".
    hash_algorithm: str
    imprint: bytes
    # Dotted OID the client insists on, or None.
    policy_oid: str | None
    nonce: int | None
    certificate_wanted: bool


@dataclass(frozen=True)
class TsaUnit:
    certificate_der: bytes
    key: SigningKey = field(repr=False)
    # Issuers up to, and without, the root; sent when the client asks for certificates.
    chain_der: tuple[bytes, ...]
    policy_oid: str
    accuracy: timedelta = timedelta(seconds=1)


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


def parse_request(request_der: bytes) -> TimestampRequest:
    """Read a TimeStampReq of at most 4 KB.

    Raises TimestampRefused: BAD_DATA_FORMAT (not DER, too long), BAD_REQUEST (version), BAD_ALGORITHM (hash not
    SHA-256/384/512, or an imprint of another length), UNACCEPTED_EXTENSION (any critical extension).
    """
    if len(request_der) > MAXIMUM_REQUEST:
        raise TimestampRefused(TimestampFailure.BAD_DATA_FORMAT)
    try:
        request = tsp.TimeStampReq.load(request_der, strict=True)
        native_version = request["version"].native
        imprint = request["message_imprint"]
        algorithm, hashed = imprint["hash_algorithm"]["algorithm"].native, imprint["hashed_message"].native
        policy, nonce = request["req_policy"].native, request["nonce"].native
        wanted = bool(request["cert_req"].native)
        critical = any(entry["critical"].native for entry in request["extensions"] or ())
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise TimestampRefused(TimestampFailure.BAD_DATA_FORMAT) from error
    if native_version != "v1" or (nonce is not None and abs(nonce).bit_length() > _MAXIMUM_NONCE_BITS):
        raise TimestampRefused(TimestampFailure.BAD_REQUEST)
    if _IMPRINT_LENGTHS.get(algorithm) != len(hashed):
        raise TimestampRefused(TimestampFailure.BAD_ALGORITHM)
    if critical:
        raise TimestampRefused(TimestampFailure.UNACCEPTED_EXTENSION)
    return TimestampRequest(algorithm, hashed, policy, nonce, wanted)


def respond(request: TimestampRequest, *, unit: TsaUnit, serial_number: int, now: datetime) -> bytes:
    """Return a DER TimeStampResp with a signed token whose genTime is `now`, cut to whole seconds.

    `serial_number` must never have been used by this unit. The signature is made with SHA-256 for P-256 and RSA
    keys, SHA-384 for P-384. Raises TimestampRefused(UNACCEPTED_POLICY) if the client asks for another policy.
    """
    if request.policy_oid not in (None, unit.policy_oid):
        raise TimestampRefused(TimestampFailure.UNACCEPTED_POLICY)
    content_der = _token_info(request, unit, serial_number, now).dump()
    token = _sign_token(content_der, unit=unit, with_certificates=request.certificate_wanted)
    response: bytes = _Response({"status": {"status": "granted"}, "time_stamp_token": token}).dump()
    return response


def refuse(failure: TimestampFailure) -> bytes:
    """Return a DER TimeStampResp that grants nothing and says why."""
    status = {"status": "rejection", "fail_info": {failure.value}}
    refusal: bytes = _Response({"status": status}).dump()
    return refusal


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


def _token_info(request: TimestampRequest, unit: TsaUnit, serial_number: int, now: datetime) -> tsp.TSTInfo:
    seconds, micros = divmod(unit.accuracy // timedelta(microseconds=1), 1_000_000)
    accuracy: dict[str, int] = {"seconds": seconds}
    if micros // 1000:
        accuracy["millis"] = micros // 1000
    info = {
        "version": "v1",
        "policy": unit.policy_oid,
        "message_imprint": {
            "hash_algorithm": {"algorithm": request.hash_algorithm},
            "hashed_message": request.imprint,
        },
        "serial_number": serial_number,
        "gen_time": now.astimezone(UTC).replace(microsecond=0),
        "accuracy": accuracy,
    }
    if request.nonce is not None:
        info["nonce"] = request.nonce
    return tsp.TSTInfo(info)


def _sign_token(content_der: bytes, *, unit: TsaUnit, with_certificates: bool) -> cms.ContentInfo:
    certificate = x509.Certificate.load(unit.certificate_der)
    public_key = unit.key.public_key
    wide = isinstance(public_key, ec.EllipticCurvePublicKey) and public_key.key_size > 256
    name = "sha384" if wide else "sha256"
    attributes = _token_attributes(hashlib.new(name, content_der).digest(), unit.certificate_der)
    kind = "ecdsa" if certificate.public_key.algorithm == "ec" else "rsa"
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                "issuer_and_serial_number",
                cms.IssuerAndSerialNumber({"issuer": certificate.issuer, "serial_number": certificate.serial_number}),
            ),
            "digest_algorithm": {"algorithm": name},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": f"{name}_{kind}"},
            "signature": unit.key.sign(attributes.dump(), hash=_HASHES[name]),
        }
    )
    content = {
        "version": "v3",
        "digest_algorithms": [{"algorithm": name}],
        "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(content_der)},
        "signer_infos": [signer],
    }
    if with_certificates:
        chain = (unit.certificate_der, *unit.chain_der)
        content["certificates"] = [x509.Certificate.load(der) for der in chain]
    return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(content)})


def _token_attributes(content_digest: bytes, certificate_der: bytes) -> cms.CMSAttributes:
    identifier = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(certificate_der).digest()})
    return cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
            cms.CMSAttribute({"type": "message_digest", "values": [content_digest]}),
            cms.CMSAttribute(
                {"type": "signing_certificate_v2", "values": [tsp.SigningCertificateV2({"certs": [identifier]})]}
            ),
        ]
    )


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
    attributes = _single_values(signer["signed_attrs"])
    certificate = _signer_certificate(signer, certificates)
    _demand(_names_certificate(attributes, certificate.dump()))
    # 3. The attributes cover the content, the signature covers the attributes.
    name = signer["digest_algorithm"]["algorithm"].native
    _demand(name in _HASHES)
    _demand(attributes["content_type"].native == "tst_info")
    _demand(hmac.compare_digest(attributes["message_digest"].native, hashlib.new(name, content_der).digest()))
    _verify(certificate.dump(), signer["signature"].native, signer["signed_attrs"].untag().dump(), name)
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
        and candidate.issuer == wanted["issuer"]
        and candidate.serial_number == wanted["serial_number"].native
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
