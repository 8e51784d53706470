"""States, kinds and reasons in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _l

from app.certificates.life_models import BulkKind, BulkState, Finding
from app.certificates.models import CertificateState, RequestState
from app.core.errors import Sentence
from pki.profiles import ProfileName
from pki.revocation import RevocationReason

# Word and tone of its tag.
CERTIFICATE_STATES: Final[Mapping[str, tuple[Sentence, str]]] = {
    CertificateState.PREPARED: (_l("Being issued"), "wait"),
    CertificateState.ISSUED: (_l("In force"), "good"),
    CertificateState.HELD: (_l("Suspended"), "held"),
    CertificateState.REVOKED: (_l("Revoked"), "bad"),
    CertificateState.ABANDONED: (_l("Never used"), "quiet"),
}
EXPIRED: Final[tuple[Sentence, str]] = (_l("Ended"), "quiet")

REQUEST_STATES: Final[Mapping[str, tuple[Sentence, str]]] = {
    RequestState.REQUESTED: (_l("Waits for a registration officer"), "wait"),
    RequestState.APPROVED: (_l("Approved, being issued"), "wait"),
    RequestState.REFUSED: (_l("Refused"), "bad"),
    RequestState.ISSUED: (_l("Issued"), "good"),
    RequestState.FAILED: (_l("Could not be issued"), "bad"),
}

PROFILES: Final[Mapping[str, Sentence]] = {
    ProfileName.CITIZEN_SIGNING: _l("Signature of a citizen"),
    ProfileName.OFFICIAL_SIGNING: _l("Signature of an official"),
    ProfileName.AGENCY_SEAL: _l("Seal of an agency"),
    ProfileName.REPORT_SEAL: _l("Seal of reports of checks"),
    ProfileName.PASS_SIGNER: _l("Invitations of an agency"),
    ProfileName.OCSP_RESPONDER: _l("Status service"),
    ProfileName.TSA_UNIT: _l("Timestamp service"),
    ProfileName.TRUST_LIST_SIGNER: _l("Lists for the gates"),
    ProfileName.DEVICE: _l("Tablet at a gate"),
}

REASONS: Final[Mapping[int, Sentence]] = {
    RevocationReason.UNSPECIFIED: _l("No reason given"),
    RevocationReason.KEY_COMPROMISE: _l("The key was lost or somebody else has it"),
    RevocationReason.CA_COMPROMISE: _l("The authority's key was lost"),
    RevocationReason.AFFILIATION_CHANGED: _l("The person has another post or another name"),
    RevocationReason.SUPERSEDED: _l("A newer certificate took its place"),
    RevocationReason.CESSATION_OF_OPERATION: _l("It is not needed any more"),
    RevocationReason.CERTIFICATE_HOLD: _l("Suspended for the time being"),
    RevocationReason.PRIVILEGE_WITHDRAWN: _l("The right to sign was withdrawn"),
    RevocationReason.AA_COMPROMISE: _l("An authority for attributes was lost"),
}

# Why a certificate was suspended, as the log of acts keeps it.
CAUSES: Final[Mapping[str, Sentence]] = {
    "holder": _l("The holder suspended it themselves"),
    "administrator": _l("An administrator suspended it"),
    "bulk": _l("It was on a list that two people suspended"),
    "left_post": _l("The person left the post"),
    "agency_merged": _l("The agency was merged into another one"),
}

BULK_TITLES: Final[Mapping[str, Sentence]] = {
    BulkKind.REVOKE: _l("Revoke many certificates for good"),
    BulkKind.SUSPEND: _l("Suspend many certificates"),
    BulkKind.RELEASE: _l("Release many suspended certificates"),
}

BULK_STATES: Final[Mapping[str, tuple[Sentence, str]]] = {
    BulkState.DRAFT: (_l("Checked, not submitted"), "quiet"),
    BulkState.SUBMITTED: (_l("Waits for a second person"), "wait"),
    BulkState.RUNNING: (_l("Being done"), "wait"),
    BulkState.DONE: (_l("Done"), "good"),
    BulkState.CANCELLED: (_l("Not done"), "bad"),
}

FINDINGS: Final[Mapping[str, Sentence]] = {
    Finding.READY: _l("Will be changed"),
    Finding.UNREADABLE: _l("Not a serial number"),
    Finding.NOT_FOUND: _l("Not found among your certificates"),
    Finding.TWICE: _l("Stands on the list twice"),
    Finding.ALREADY: _l("In another state already"),
    Finding.ENDED: _l("Ended by time"),
    Finding.OWN: _l("Your own certificate"),
}
