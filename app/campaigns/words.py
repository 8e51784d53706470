"""States, reasons and faults in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _l

from app.campaigns.file_faults import FileFault
from app.campaigns.models import CampaignState, Mode, Result, WaveState
from app.campaigns.people_rows import Reason
from app.core.errors import Sentence
from pki.profiles import ProfileName

MODES: Final[Mapping[str, Sentence]] = {
    Mode.INVITE: _l("Each person makes their key, behind a link"),
    Mode.ISSUE: _l("The keys are in the file"),
}
PROFILES: Final[Mapping[str, Sentence]] = {
    ProfileName.CITIZEN_SIGNING: _l("Signature of a citizen"),
    ProfileName.OFFICIAL_SIGNING: _l("Signature of an official"),
}
# Word and tone of its tag.
STATES: Final[Mapping[str, tuple[Sentence, str]]] = {
    CampaignState.CHECKING: (_l("File is being checked"), "wait"),
    CampaignState.CHECKED: (_l("Checked, to be submitted"), "info"),
    CampaignState.SUBMITTED: (_l("Waits for a second officer"), "wait"),
    CampaignState.APPROVED: (_l("Approved, not started"), "info"),
    CampaignState.RUNNING: (_l("Running"), "wait"),
    CampaignState.PAUSED: (_l("Paused"), "held"),
    CampaignState.STOPPED: (_l("Stopped"), "bad"),
    CampaignState.FINISHED: (_l("Finished"), "good"),
    CampaignState.FAILED: (_l("File cannot be read"), "bad"),
}
WAVE_STATES: Final[Mapping[str, tuple[Sentence, str]]] = {
    WaveState.WAITING: (_l("Not started"), "quiet"),
    WaveState.RUNNING: (_l("Running"), "wait"),
    WaveState.PAUSED: (_l("Paused"), "held"),
    WaveState.STOPPED: (_l("Stopped"), "bad"),
    WaveState.DONE: (_l("Finished"), "good"),
}
RESULTS: Final[Mapping[str, Sentence]] = {
    Result.CERTIFIED: _l("Certificate issued"),
    Result.INVITED: _l("Invited"),
    Result.SKIPPED: _l("Left out"),
    Result.FAILED: _l("Not issued"),
}
REASONS: Final[Mapping[str, Sentence]] = {
    Reason.HEAD_AGAIN: _l("The row repeats the head of the table"),
    Reason.NUMBER_MISSING: _l("The citizen number is missing"),
    Reason.BAD_NUMBER: _l("The citizen number is not twelve digits that begin with a province"),
    Reason.NAME_MISSING: _l("Surname or given name is missing"),
    Reason.NAME_TOO_LONG: _l("The name is over 64 characters long"),
    Reason.BAD_NAME: _l("The name holds a character that no name has"),
    Reason.BAD_EMAIL: _l("The e-mail address is not right"),
    Reason.CONSENT_MISSING: _l("The person’s consent is missing"),
    Reason.AGENCY_MISSING: _l("The code of the ward or agency is missing"),
    Reason.UNKNOWN_AGENCY: _l("No ward or agency has this code"),
    Reason.OUTSIDE_SCOPE: _l("The ward or agency is not among those that you register for"),
    Reason.TITLE_MISSING: _l("The title of the post is missing"),
    Reason.BAD_TITLE: _l("The title of the post is too long or not readable"),
    Reason.KEY_MISSING: _l("The request or public key is missing"),
    Reason.BAD_KEY: _l("The request or public key cannot be read"),
    Reason.WEAK_KEY: _l("The key is too weak or of a kind that is not certified"),
    Reason.CSR_NOT_PROVEN: _l("The request is not signed by its key, or with a weak method"),
    Reason.TWICE_IN_FILE: _l("The person stands in the file twice"),
    Reason.KEY_TWICE: _l("The key stands in the file twice"),
    Reason.KEY_USED: _l("The key was certified before, or is blocked"),
    Reason.HAS_CERTIFICATE: _l("The person has a valid certificate of this kind"),
    Reason.HAS_REQUEST: _l("The person has asked for a certificate already"),
    Reason.IN_OTHER_CAMPAIGN: _l("The person is in another open campaign"),
    Reason.INVITED_ALREADY: _l("The person has an invitation that is still good"),
    Reason.NAME_DIFFERS: _l("The registry has another name for this citizen number"),
    Reason.NOT_CERTIFIABLE: _l("No correct certificate can be made from this row"),
}
FAULTS: Final[Mapping[str, Sentence]] = {
    FileFault.GONE: _l("The file is no longer there. Upload it again."),
    FileFault.EMPTY: _l("The file has no rows of people."),
    FileFault.ENCODING: _l("The file is not text in UTF-8 or UTF-16. Choose “CSV UTF-8” when saving."),
    FileFault.NOT_A_TABLE: _l("The file could not be read as a table. Save it as CSV or XLSX again."),
    FileFault.OLD_WORKBOOK: _l("The file is an old XLS workbook or has a password. Save it as XLSX without one."),
    FileFault.MACROS: _l("The workbook holds macros. Save it as XLSX, which has none."),
    FileFault.DAMAGED_WORKBOOK: _l("The workbook is damaged. Open it and save it again."),
    FileFault.UNPACKS_TOO_LARGE: _l("The workbook unpacks to far more than a list of people. It was not opened."),
    FileFault.FORBIDDEN_XML: _l("The workbook holds definitions that a spreadsheet never writes. It was not opened."),
    FileFault.LINE_TOO_LONG: _l("A row or a cell of the file is far too long."),
    FileFault.COLUMN_TWICE: _l("A column stands in the head twice."),
    FileFault.COLUMN_MISSING: _l("A column is missing in the first row."),
    FileFault.TOO_MANY_ROWS: _l("The file has over 500,000 rows. Split it."),
}  # fmt: skip


def reason_word(code: str | None) -> Sentence:
    """Return the words of a reason; a code of tomorrow stands for itself."""
    return REASONS.get(code or "", code or "")


def profile_word(profile: str) -> Sentence:
    return PROFILES.get(profile, profile)


def failure_words(code: str | None) -> tuple[Sentence, str]:
    """Return the sentence about a file that was refused, and the columns it means, if any."""
    fault, _, detail = (code or "").partition(":")
    return FAULTS.get(fault, FAULTS[FileFault.NOT_A_TABLE]), detail
