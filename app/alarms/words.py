"""Alarms in words: what happened, and what to look at. Each kind that is raised has a line here (a test holds it)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _l

from app.core.errors import Sentence

# Kind -> what happened, what to do.
KINDS: Final[Mapping[str, tuple[Sentence, Sentence]]] = {
    "agency_over_rate": (
        _l("More certificates were approved for an agency than is usual in a day."),
        _l("Approving for it is paused. Look at the latest approvals, then lift the pause."),
    ),
    "authority_ending": (
        _l("An authority stops issuing within a year."),
        _l("Prepare its next generation."),
    ),
    "authority_not_rolled_over": (
        _l("The next generation of an authority was approved and could not be made."),
        _l("The root's key may be elsewhere: make the certificate in a ceremony, then take it in."),
    ),
    "clock_moved": (
        _l("The clock of the timestamp service went back or drifted."),
        _l("No timestamps are given until it is right again. Check the time service of the machine."),
    ),
    "crl_refused": (
        _l("A revocation list was not published, because it contradicts the last one."),
        _l("Compare the list with the register before publishing again."),
    ),
    "crl_stale": (
        _l("A revocation list is past the middle of its life and was not renewed."),
        _l("Check that the worker runs and that the key of the authority can be used."),
    ),
    "key_compromised": (
        _l("A certificate was revoked because its key was compromised."),
        _l("Look at what was signed with it since."),
    ),
    "proposals_waiting": (
        _l("Nobody decided for a day whether the certificates of people who left their posts end."),
        _l("Open the proposals and decide on each."),
    ),
    "lint_failed": (
        _l("A certificate was not issued, because its check before signing failed."),
        _l("Nothing was signed. Look at the profile and at the request."),
    ),
    "ocsp_stale": (
        _l("Stored revocation answers are about to run out."),
        _l("Check that the status service runs."),
    ),
    "officer_over_rate": (
        _l("An officer approved more certificates than one may in an hour."),
        _l("Their right to approve is paused. Speak with them, then lift the pause or disable the account."),
    ),
    "responder_expiring": (
        _l("The certificate of a responder or of the timestamp service ends soon."),
        _l("Renew it before it ends."),
    ),
    "status_unreachable": (
        _l("A public status address does not answer."),
        _l("Check that the status service runs and can be reached from outside."),
    ),
}

# What an alarm is about, by object_kind; what is not here is shown as the word itself.
OBJECTS: Final[Mapping[str, Sentence]] = {
    "account": _l("Account"),
    "agency": _l("Agency"),
    "authority": _l("Authority"),
    "campaign": _l("Campaign"),
    "certificate": _l("Certificate"),
    "endpoint": _l("Address"),
    "shard": _l("Part of a list"),
    "crl": _l("Revocation list"),
}

FACTS: Final[Mapping[str, Sentence]] = {
    "minutes": _l("Minutes"),
    "rate": _l("What was counted"),
    "until": _l("Issues until"),
    "why": _l("Why"),
}

_RATES: Final[Mapping[str, Sentence]] = {"certificate_approval": _l("approvals of certificates")}


def fact(name: str, value: object) -> tuple[Sentence, object]:
    """Return a fact of an alarm as a word and what to show of it."""
    return FACTS.get(name, name), _RATES.get(str(value), value) if name == "rate" else value


def sentence(kind: str) -> Sentence:
    return KINDS[kind][0] if kind in KINDS else kind


def next_step(kind: str) -> Sentence | None:
    return KINDS[kind][1] if kind in KINDS else None
