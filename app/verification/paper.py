"""The report as a PDF to keep: its text travels with the page, signed by us, and is stamped when it is asked for.

Nothing is kept here between the two (ADR 14): what is not our own text is not stamped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from itsdangerous import BadData, URLSafeTimedSerializer

from app.core.errors import Invalid, Unavailable
from app.core.i18n import current_language, moment
from app.core.settings import Settings
from app.core.timestamping import Timestamper
from app.verification.api import Verification
from app.verification.page import ChangedPage, RegisterNote, Technical
from app.verification.words import Answer
from pki.errors import TimestampRefused
from pki.pades.augment import add_document_timestamp
from pki.pades.text_pages import Paragraph, render

LIFE: Final = timedelta(hours=1)
# A form of ours may be 256 kB; a file with so many signatures has its report as XML.
_LARGEST: Final = 200 * 1024
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
        *(Paragraph(finding) for finding in answer.findings),
        *([Paragraph(note.sentence)] if note else []),
        *(Paragraph(f"{_('Page %(number)s', number=one.number)}: {one.sentence}") for one in changed),
        *_signatures(answer, technical),
        Paragraph(_("What this report is"), size=_HEADING, bold=True, above=14.0),
        Paragraph(
            _(
                "The city's timestamp proves when this report existed and that it was not changed since. Who wants to "
                "be sure of the result checks the file again at %(address)s.",
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


def seal_text(settings: Settings, paragraphs: Sequence[Paragraph]) -> str | None:
    """Return the text as a form field that only we can have made; None when it is too long for one."""
    plain = [[one.text, one.size, one.bold, one.above] for one in paragraphs]
    sealed = _serializer(settings).dumps({"language": current_language(), "text": plain})
    content = sealed if isinstance(sealed, str) else sealed.decode()
    return content if len(content) <= _LARGEST else None


def stamped(settings: Settings, sealed: str, *, timestamp: Timestamper) -> bytes:
    """Return the PDF of a text that `seal_text` sealed within the last hour, with the city's timestamp over it.

    Raises Invalid for any other text, Unavailable when the timestamp service does not answer.
    """
    try:
        facts = _serializer(settings).loads(sealed, max_age=int(LIFE.total_seconds()))
    except BadData as error:
        raise Invalid(
            _l("The report is older than an hour, so it cannot be made into a PDF any more."),
            _l("Check the file again."),
        ) from error
    paragraphs = [Paragraph(text, size, bold, above) for text, size, bold, above in facts["text"]]
    pdf = render(paragraphs, title=paragraphs[0].text, language=facts["language"])
    try:
        return pdf + add_document_timestamp(BytesIO(pdf), timestamp=timestamp)
    except TimestampRefused as error:
        raise Unavailable(_l("The timestamp service does not answer.")) from error


def name_of(now: datetime) -> str:
    """Return a name for the file."""
    return f"bao-cao-kiem-tra-{now:%Y%m%d-%H%M%S}.pdf"


def _serializer(settings: Settings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.secret_key, salt="report of a check")
