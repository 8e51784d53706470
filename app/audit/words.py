"""The acts of the log in words; each act that the house records has a line here (tests/architecture checks)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _l

from app.core.errors import Sentence

ACTS: Final[Mapping[str, Sentence]] = {
    "agency_added": _l("Agency added"),
    "authorities_created": _l("Authorities created"),
    "certificate_issued": _l("Certificate issued"),
    "certificate_released": _l("Certificate released"),
    "certificate_request_approved": _l("Request for a certificate approved"),
    "certificate_request_refused": _l("Request for a certificate refused"),
    "certificate_requested": _l("Certificate requested"),
    "certificate_revoked": _l("Certificate revoked"),
    "certificate_suspended": _l("Certificate suspended"),
    "document_signed": _l("Document signed"),
    "document_uploaded": _l("Document uploaded"),
    "person_added": _l("Person added"),
    "person_appointed": _l("Person appointed to a post"),
    "role_granted": _l("Role granted"),
    "signature_asked": _l("Person asked to sign"),
    "signature_prepared": _l("Signature prepared"),
    "signed_in": _l("Signed in"),
}
