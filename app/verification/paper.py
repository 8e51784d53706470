"""The report of a check as the text of a PDF to keep, for a file or for a court (ADR 20)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from flask_babel import gettext as _

from app.core.i18n import local, moment
from app.verification.api import Verification
from app.verification.page import ChangedPage, RegisterNote, Technical
from app.verification.words import Answer
from pki.pades.text_pages import Paragraph

_HEADING: Final = 13.0


def text_of(
    answer: Answer,
    facts: Verification,
    note: RegisterNote | None,
    changed: Sequence[ChangedPage],
    technical: Sequence[Technical],
    *,
    file_name: str,
    address: str,
) -> list[Paragraph]:
    """Return what the report says, in the reader's language; `address` is where anybody may check again."""
    return [
        Paragraph(_("Report of a check of signatures"), size=18.0, bold=True),
        Paragraph(_("%(file)s, checked %(moment)s", file=file_name or _("The file"), moment=moment(facts.checked_at))),
        Paragraph(f"SHA-256: {facts.sha256}"),
        Paragraph(answer.title, size=16.0, bold=True, above=14.0),
        Paragraph(answer.sentence),
        *([Paragraph(answer.next_step)] if answer.next_step else []),
        *(Paragraph(finding) for finding in answer.findings),
        *([Paragraph(note.sentence)] if note else []),
        *(Paragraph(f"{_('Page %(number)s', number=one.number)}: {one.sentence}") for one in changed),
        *_signatures(answer, technical),
        Paragraph(_("What this report is"), size=_HEADING, bold=True, above=14.0),
        Paragraph(
            _(
                "A service of the city checked the file itself and put its seal on this report: whoever opens it sees "
                "that it comes from the city, when it was made, and that it was not changed since. It says what was "
                "known at that moment. Anybody may check the file again at %(address)s.",
                address=address,
            )
        ),
    ]


def _signatures(answer: Answer, technical: Sequence[Technical]) -> Iterator[Paragraph]:
    for number, (one, details) in enumerate(zip(answer.signatures, technical, strict=True), 1):
        heading = _("Signature %(number)s: %(name)s", number=number, name=one.signer)
        yield Paragraph(heading, size=_HEADING, bold=True, above=14.0)
        yield Paragraph(f"{one.title}. {one.sentence}")
        for word, value in (*one.rows, *details.rows):
            yield Paragraph(f"{word}: {value}")


def name_of(now: datetime) -> str:
    """Return a name for the file."""
    return f"bao-cao-kiem-tra-{local(now):%Y%m%d-%H%M%S}.pdf"
