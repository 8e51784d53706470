"""Kinds of documents, states and faults in words."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from flask_babel import lazy_gettext as _l

from app.core.errors import Sentence
from app.records.kinds import CopyForm, Kind
from app.records.models import CopyState, EntryState, RequestState


class Fault(StrEnum):
    """Why nothing was issued."""

    EXPIRED = "expired"
    ANOTHER_DAY = "another_day"
    ROUTE_CHANGED = "route_changed"
    NOT_ALLOWED = "not_allowed"
    NO_HEAD_SIGNATURE = "no_head_signature"
    NO_SEAL = "no_seal"
    SEAL_CHANGED = "seal_changed"
    KEY_UNAVAILABLE = "key_unavailable"
    NUMBER_TOO_LONG = "number_too_long"
    OTHER_SYMBOL = "other_symbol"
    NO_PLACE = "no_place"
    FILE_UNREADABLE = "file_unreadable"
    NO_TIMESTAMP = "no_timestamp"
    NO_PROOFS = "no_proofs"
    NO_STRIP = "no_strip"
    ORIGINAL_NOT_IN_FORCE = "original_not_in_force"
    COPY_CHANGED = "copy_changed"


FAULTS: Final[Mapping[Fault, Sentence]] = {
    Fault.EXPIRED: _l("More than five minutes have passed since you entered your password."),
    Fault.ANOTHER_DAY: _l("The day has changed. A document bears the date on which it is issued."),
    Fault.ROUTE_CHANGED: _l("The documents are not those any more that you looked at."),
    Fault.NOT_ALLOWED: _l("You may no longer issue documents of this agency."),
    Fault.NO_HEAD_SIGNATURE: _l("The file does not carry the head's valid signature."),
    Fault.NO_SEAL: _l("The agency has no valid seal."),
    Fault.SEAL_CHANGED: _l("The agency has another seal than the one that you were shown."),
    Fault.KEY_UNAVAILABLE: _l("The key of the seal cannot be used at the moment."),
    Fault.NUMBER_TOO_LONG: _l("Number and symbol are too long for the document's code."),
    Fault.OTHER_SYMBOL: _l("The paper prints another symbol behind its number."),
    Fault.NO_PLACE: _l("The seal would cover something or stand outside the page."),
    Fault.FILE_UNREADABLE: _l("The file cannot be read safely."),
    Fault.NO_TIMESTAMP: _l("The timestamp service does not answer."),
    Fault.NO_PROOFS: _l("The proofs for the archive could not be gathered."),
    Fault.NO_STRIP: _l("Page 1 of the copy has no free strip of 70 by 17 mm at its top or foot for the seal in words."),
    Fault.ORIGINAL_NOT_IN_FORCE: _l("The original was cancelled or is not the one any more that you looked at."),
    Fault.COPY_CHANGED: _l("The copy that was asked for is not the one any more that you agreed to."),
}

STATES: Final[Mapping[EntryState, Sentence]] = {
    EntryState.ISSUED: _l("Issued and in force"),
    EntryState.RESERVED: _l("On paper"),
    EntryState.UNUSED: _l("Not used"),
    EntryState.CANCELLED: _l("Cancelled"),
}

REQUEST_STATES: Final[Mapping[RequestState, Sentence]] = {
    RequestState.WAITING: _l("Being sealed"),
    RequestState.DONE: _l("Sealed and sent"),
    RequestState.REFUSED: _l("Not sealed"),
}

KINDS: Final[Mapping[Kind, Sentence]] = {
    Kind.RESOLUTION: _l("Resolution"),
    Kind.DECISION: _l("Decision"),
    Kind.DIRECTIVE: _l("Directive"),
    Kind.REGULATION: _l("Regulation"),
    Kind.RULES: _l("Rules"),
    Kind.ANNOUNCEMENT: _l("Communiqué"),
    Kind.NOTICE: _l("Notice"),
    Kind.GUIDANCE: _l("Guidance"),
    Kind.PROGRAMME: _l("Programme"),
    Kind.PLAN: _l("Plan"),
    Kind.OPTION: _l("Option plan"),
    Kind.SCHEME: _l("Scheme"),
    Kind.PROJECT: _l("Project"),
    Kind.REPORT: _l("Report"),
    Kind.MINUTES: _l("Minutes of a meeting"),
    Kind.SUBMISSION: _l("Submission"),
    Kind.CONTRACT: _l("Contract"),
    Kind.LETTER: _l("Official letter"),
    Kind.TELEGRAM: _l("Official telegram"),
    Kind.MEMORANDUM: _l("Memorandum"),
    Kind.UNDERSTANDING: _l("Agreement"),
    Kind.AUTHORISATION: _l("Letter of authorisation"),
    Kind.INVITATION: _l("Letter of invitation"),
    Kind.INTRODUCTION: _l("Letter of introduction"),
    Kind.LEAVE: _l("Leave slip"),
    Kind.SENDING_SLIP: _l("Sending slip"),
    Kind.TRANSFER_SLIP: _l("Transfer slip"),
    Kind.REPORTING_SLIP: _l("Reporting slip"),
    Kind.OFFICIAL_NOTE: _l("Public letter of thanks"),
    Kind.COPY: _l("Certified copy"),
}

COPY_FORMS: Final[Mapping[CopyForm, Sentence]] = {
    CopyForm.FULL: _l("Full copy"),
    CopyForm.OF_A_COPY: _l("Copy of a full copy"),
    CopyForm.EXTRACT: _l("Extract"),
}

# As they stand on the paper, in the language of the decree.
COPY_HEADINGS: Final[Mapping[CopyForm, str]] = {
    CopyForm.FULL: "SAO Y",
    CopyForm.OF_A_COPY: "SAO LỤC",
    CopyForm.EXTRACT: "TRÍCH SAO",
}

COPY_STATES: Final[Mapping[CopyState, Sentence]] = {
    CopyState.ASKED: _l("Waits for the clerk"),
    CopyState.WAITING: _l("Being sealed"),
    CopyState.DONE: _l("Sealed"),
    CopyState.DECLINED: _l("Declined"),
}

COPY_TONES: Final[Mapping[CopyState, str]] = {
    CopyState.ASKED: "wait",
    CopyState.WAITING: "wait",
    CopyState.DONE: "good",
    CopyState.DECLINED: "bad",
}
