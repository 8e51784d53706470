"""Asking `status` for an OCSP answer over the loopback (RFC 6960, appendix A). No other network."""

from __future__ import annotations

import http.client
from typing import Final
from urllib.error import URLError
from urllib.request import Request, urlopen

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from app.core.logs import log
from app.core.settings import Settings

_PATIENCE_SECONDS: Final = 5
# An answer with its responder's certificate is about 2 KB; more than this is not from us.
_LARGEST_ANSWER: Final = 64 * 1024


def ocsp_answer(settings: Settings, certificate: x509.Certificate, issuer: x509.Certificate) -> bytes | None:
    """Return the DER OCSPResponse that names `certificate`, whatever it says of it; None without a usable one."""
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1()).build()  # noqa: S303
    content = _post(settings, request.public_bytes(Encoding.DER))
    if content is None:
        return None
    try:
        answer = ocsp.load_der_ocsp_response(content)
        usable = (
            answer.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
            and answer.serial_number == certificate.serial_number
            and answer.certificate_status is not ocsp.OCSPCertStatus.UNKNOWN
        )
    except ValueError:
        usable = False
    return content if usable else None


def _post(settings: Settings, request_der: bytes) -> bytes | None:
    # `settings` lets only http and https pass.
    request = Request(  # noqa: S310
        f"{settings.status_internal_url}/ocsp",
        data=request_der,
        headers={"Content-Type": "application/ocsp-request"},
        method="POST",
    )
    try:
        with urlopen(request, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310
            return bytes(answer.read(_LARGEST_ANSWER))
    except (URLError, OSError, http.client.HTTPException) as error:
        log.warning("ocsp_unavailable", why=type(error).__name__)
        return None
