"""The archive in words: levels, states of runs, why something was not added, why a file stops to verify."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _l

from app.archive.listing import Shown
from app.archive.models import Failure, RunState
from app.core.errors import Sentence
from app.documents.models import Level
from pki.pades.simulate import Weakness

LEVELS: Final[Mapping[str, Sentence]] = {
    Level.BASIC: _l("Signature alone"),
    Level.TIMESTAMP: _l("Signature with timestamp"),
    Level.LONG_TERM: _l("Timestamp and status of the certificates"),
    Level.ARCHIVE: _l("Everything, sealed by an archive timestamp"),
}
STATES: Final[Mapping[str, tuple[Sentence, str]]] = {
    RunState.RUNNING: (_l("Running"), "info"),
    RunState.PAUSED: (_l("Paused"), "held"),
    RunState.DONE: (_l("Finished"), "good"),
}
FAILURES: Final[Mapping[str, Sentence]] = {
    Failure.SERVICE_SILENT: _l("The timestamp or status service did not answer"),
    Failure.FILE_REFUSED: _l("The stored file could not be opened"),
    Failure.CHECK_FAILED: _l("Another program did not accept the new file"),
    Failure.OVERTAKEN: _l("Somebody signed in the meantime"),
}
SHOWN: Final[Mapping[str, Sentence]] = {
    Shown.ALL: _l("All documents"),
    Shown.DUE: _l("Due now"),
    Shown.PENDING: _l("Proof still missing"),
    Shown.FAILED: _l("Last attempt failed"),
}
WHY: Final[Mapping[str, Sentence]] = {
    Weakness.UNSIGNED: _l("The file carries no signature."),
    Weakness.TIME_NOT_PROVEN: _l("No timestamp proves when it was signed, and the signer's certificate ends then."),
    Weakness.TIMESTAMP_ENDS: _l("The certificates of its newest timestamp end then. The archive renews it before."),
    Weakness.STATUS_NOT_KEPT: _l("The file does not hold the status of a certificate that ends then."),
    Weakness.RENEWED_TOO_LATE: _l("One of its timestamps came when the one before it had ended already."),
    Weakness.REVOKED: _l("One of its certificates was revoked before it was used."),
    Weakness.UNTRUSTED: _l("One of its certificates does not lead to an authority of the city."),
}
