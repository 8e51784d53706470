"""The acts of the log in words; each act that the house records has a line here (tests/architecture checks)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _l

from app.core.errors import Sentence

ACTS: Final[Mapping[str, Sentence]] = {
    "account_disabled": _l("Account disabled"),
    "act_approved": _l("Act approved"),
    "act_executed": _l("Approved act done"),
    "act_expired": _l("Request of an act expired"),
    "act_failed": _l("Approved act could not be done"),
    "act_refused": _l("Act refused"),
    "act_requested": _l("Act asked for"),
    "act_withdrawn": _l("Request of an act withdrawn"),
    "agency_added": _l("Agency added"),
    "alarm_closed": _l("Alarm closed"),
    "approval_pause_lifted": _l("Pause of the right to approve lifted"),
    "approval_paused": _l("Right to approve paused"),
    "authorities_created": _l("Authorities created"),
    "certificate_issued": _l("Certificate issued"),
    "certificate_released": _l("Certificate released"),
    "certificate_request_approved": _l("Request for a certificate approved"),
    "certificate_request_refused": _l("Request for a certificate refused"),
    "certificate_requested": _l("Certificate requested"),
    "certificate_revoked": _l("Certificate revoked"),
    "certificate_suspended": _l("Certificate suspended"),
    "device_added": _l("Tablet added"),
    "device_code_renewed": _l("Tablet given a new code"),
    "device_enrolled": _l("Tablet enrolled"),
    "device_revoked": _l("Tablet revoked"),
    "document_signed": _l("Document signed"),
    "document_uploaded": _l("Document uploaded"),
    "guest_added": _l("Guest added"),
    "guest_changed": _l("Guest corrected"),
    "guest_removed": _l("Guest taken off the list"),
    "guests_forgotten": _l("Guests of past meetings forgotten"),
    "guests_imported": _l("Guests added from a file"),
    "meeting_cancelled": _l("Meeting cancelled"),
    "meeting_changed": _l("Meeting changed"),
    "meeting_planned": _l("Meeting planned"),
    "meeting_sent": _l("Sent the invitations"),
    "password_changed": _l("Password changed"),
    "person_added": _l("Person added"),
    "person_appointed": _l("Person appointed to a post"),
    "profile_changed": _l("Validity of a profile changed"),
    "role_granted": _l("Role granted"),
    "role_withdrawn": _l("Role withdrawn"),
    "signature_asked": _l("Person asked to sign"),
    "signature_prepared": _l("Signature prepared"),
    "signed_in": _l("Signed in"),
}
