"""Second half of a signature: the value is checked, timestamped if asked, and written into its place."""

from __future__ import annotations

import binascii
import hashlib
import secrets
from collections.abc import Callable, Sequence

from pki import tsa
from pki.errors import PdfRefused, SignatureMismatch
from pki.pades import cms
from pki.pades.faults import PdfFault
from pki.pades.prepare import PreparedSignature

Timestamper = Callable[[bytes], bytes]


def finish(
    prepared: PreparedSignature,
    *,
    signature_value: bytes,
    certificate_der: bytes,
    chain_der: Sequence[bytes] = (),
    timestamp: Timestamper | None,
) -> bytes:
    """Return what follows the base in the signed PDF: level B-T with `timestamp`, B-B with `None`.

    `signature_value` is r and s (64 bytes, as WebCrypto gives it) or DER. `timestamp` takes a DER TimeStampReq and
    returns the DER TimeStampResp, whatever it raises passes through: a failing timestamp service never lowers the
    level in silence. Whether the certificate is good today is the caller's question, not answered here.

    Raises SignatureMismatch if the value was not made over these attributes by this certificate's key,
    TimestampRefused if the answer is not a token over this very value, PdfRefused(SIGNATURE_TOO_LARGE).
    """
    if hashlib.sha256(certificate_der).digest() != prepared.certificate_sha256:
        raise SignatureMismatch
    value = cms.encode_signature_value(signature_value)
    cms.check_signature(value, prepared.signed_attributes_der, certificate_der)
    token = None
    if timestamp is not None:
        nonce = secrets.randbits(63) | 1
        request = cms.timestamp_request(value, nonce=nonce)
        token = tsa.token_from_response(timestamp(request), request_der=request)
    content = cms.signed_data(
        value,
        attributes_der=prepared.signed_attributes_der,
        certificate_der=certificate_der,
        chain_der=chain_der,
        timestamp_token_der=token,
    )
    return _fill(prepared, content)


def _fill(prepared: PreparedSignature, content: bytes) -> bytes:
    """Write the CMS object as hexadecimal digits, zeros behind it, between `<` and `>`."""
    start, end = (at - prepared.base_size for at in prepared.byte_range[1:3])
    room = end - start - 2
    digits = binascii.b2a_hex(content).upper()
    if len(digits) > room:
        raise PdfRefused(PdfFault.SIGNATURE_TOO_LARGE)
    return prepared.appended[: start + 1] + digits.ljust(room, b"0") + prepared.appended[end - 1 :]
