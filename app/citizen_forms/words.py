"""The states of a form in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _l

from app.citizen_forms.models import SubmissionState
from app.core.errors import Sentence

STATES: Final[Mapping[SubmissionState, Sentence]] = {
    SubmissionState.DRAFT: _l("Not sent yet"),
    SubmissionState.RECEIVED: _l("Received"),
    SubmissionState.IN_WORK: _l("In work"),
    SubmissionState.DONE: _l("Dealt with"),
    SubmissionState.SENT_BACK: _l("Sent back"),
    SubmissionState.WITHDRAWN: _l("Withdrawn by the citizen"),
}


def state_words() -> dict[str, str]:
    """Return the words of every state in the reader's language."""
    return {str(state): str(words) for state, words in STATES.items()}
