"""What became of an invitation, told to whoever checks its letter: the seal cannot say that it was taken back."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.meetings import passes
from app.verification.page import RegisterNote
from app.verification.registered import digests_of
from app.verification.source import Source
from pki.passes.status import PassStatus


def note_of(session: Session, pdf: Source, *, now: datetime) -> RegisterNote | None:
    """Return what may be said of an invitation's letter; None for every other file. No guest is named."""
    whole = [bytes.fromhex(digest) for digest, is_whole in digests_of(pdf).items() if is_whole]
    found = passes.by_letter(session, whole)
    if found is None:
        return None
    status = passes.status_of(found)
    if status is PassStatus.VALID and now <= found.not_after:
        sentence = _("This is exactly a letter of invitation of the city, and it still counts.")
        return RegisterNote(sentence, alarming=False)
    if status is PassStatus.VALID:
        sentence = _("This is a letter of invitation of the city. The meeting is over.")
    elif status is PassStatus.CHANGED:
        sentence = _("This is a letter of invitation of the city. A newer one took its place: this one is void.")
    else:
        sentence = _("This is a letter of invitation of the city. The invitation was taken back: this one is void.")
    return RegisterNote(sentence, alarming=True)
