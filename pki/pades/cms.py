"""The CMS object inside a PAdES signature (RFC 5652, ETSI EN 319 142-1), written by us to the byte.

The signed attributes are exactly three, so that a browser can parse them strictly and show that it signs nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from asn1crypto import algos, cms, core, tsp, x509
from cryptography import x509 as pyca_x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from pki.errors import SignatureMismatch

_P256_RAW_LENGTH = 64


def signed_attributes(document_digest: bytes, certificate_der: bytes) -> bytes:
    """Return the DER SET OF (tag 0x31) that the signer signs: content type, digest, own certificate.

    No signingTime: PAdES keeps the claimed time in the /M entry (EN 319 142-1, 6.3).
    """
    essence = tsp.SigningCertificateV2(
        {"certs": [tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(certificate_der).digest()})]}
    )
    return cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": ["data"]}),
            cms.CMSAttribute({"type": "message_digest", "values": [document_digest]}),
            cms.CMSAttribute({"type": "signing_certificate_v2", "values": [essence]}),
        ]
    ).dump()


def encode_signature_value(signature_value: bytes) -> bytes:
    """Return DER for an ECDSA P-256 value in either form; WebCrypto gives r and s, 32 bytes each."""
    if len(signature_value) != _P256_RAW_LENGTH:
        return signature_value
    half = _P256_RAW_LENGTH // 2
    return encode_dss_signature(
        int.from_bytes(signature_value[:half], "big"), int.from_bytes(signature_value[half:], "big")
    )


def check_signature(signature_value: bytes, signed: bytes, certificate_der: bytes) -> None:
    """Verify a DER value over `signed` with the certificate's key. Raises SignatureMismatch."""
    try:
        key = pyca_x509.load_der_x509_certificate(certificate_der).public_key()
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature_value, signed, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature_value, signed, padding.PKCS1v15(), hashes.SHA256())
        else:
            raise SignatureMismatch
    except (InvalidSignature, ValueError) as error:
        raise SignatureMismatch from error


def signed_data(
    signature_value: bytes,
    *,
    attributes_der: bytes,
    certificate_der: bytes,
    chain_der: Sequence[bytes],
    timestamp_token_der: bytes | None,
) -> bytes:
    """Return the DER ContentInfo: signer, certificate and chain, and the timestamp of the value if there is one."""
    certificate = x509.Certificate.load(certificate_der)
    sha256 = algos.DigestAlgorithm({"algorithm": "sha256"})
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                "issuer_and_serial_number",
                cms.IssuerAndSerialNumber({"issuer": certificate.issuer, "serial_number": certificate.serial_number}),
            ),
            "digest_algorithm": sha256,
            "signed_attrs": cms.CMSAttributes.load(attributes_der),
            "signature_algorithm": signature_algorithm(certificate),
            "signature": signature_value,
        }
    )
    if timestamp_token_der is not None:
        token = cms.ContentInfo.load(timestamp_token_der)
        signer["unsigned_attrs"] = cms.CMSAttributes(
            [cms.CMSAttribute({"type": "signature_time_stamp_token", "values": [token]})]
        )
    content = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [sha256],
            "encap_content_info": {"content_type": "data"},
            "certificates": [certificate, *(x509.Certificate.load(der) for der in chain_der)],
            "signer_infos": [signer],
        }
    )
    return cms.ContentInfo({"content_type": "signed_data", "content": content}).dump()


def signature_algorithm(certificate: x509.Certificate) -> algos.SignedDigestAlgorithm:
    """Return the algorithm written beside a SHA-256 signature of the certificate's key."""
    name = "sha256_ecdsa" if certificate.public_key.algorithm == "ec" else "sha256_rsa"
    return algos.SignedDigestAlgorithm({"algorithm": name})


def timestamp_request(signature_value: bytes, *, nonce: int) -> bytes:
    """Return a DER TimeStampReq over the SHA-256 of a signature value (RFC 3161, 2.4.1), certificate asked for."""
    return tsp.TimeStampReq(
        {
            "version": "v1",
            "message_imprint": {
                "hash_algorithm": {"algorithm": "sha256"},
                "hashed_message": hashlib.sha256(signature_value).digest(),
            },
            "nonce": core.Integer(nonce),
            "cert_req": True,
        }
    ).dump()
