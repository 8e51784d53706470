"""What a person brings: opened in the limited process, made ready to be signed, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from flask_babel import lazy_gettext as _l

from app.core.errors import AppError, Invalid, Sentence, TooLarge
from app.documents import intake_job, sandbox
from pki.errors import PdfRefused
from pki.pades.faults import PdfFault

LARGEST_PDF: Final = 25 * 1024 * 1024
_CHOOSE_ANOTHER: Final = _l("Choose another file.")
_PRINT_AGAIN: Final = _l("Open it and save or print it as a new PDF, then choose the new file.")
_LOCKED: Final = _l("The file was closed by an earlier signer: nobody may sign it any more. Nothing was stored.")
_ASK_OPEN_COPY: Final = _l("Ask the person who made it for a copy that may still be signed.")
_LARGE: Final = _l("The file is larger than 25 MB. Nothing was stored.")
_TOO_MUCH: Final = _l("The file is too large or too complicated to be read safely. Nothing was stored.")
_NO_PDF: Final = _l("The file is not a PDF, or it is damaged. Nothing was stored.")

# What happened and what to do, for each reason to refuse a file that is to be signed.
REFUSALS: Final[Mapping[PdfFault, tuple[Sentence, Sentence]]] = {
    PdfFault.NOT_A_PDF: (_NO_PDF, _l("Open it to check, then choose it again.")),
    PdfFault.DAMAGED: (_NO_PDF, _l("Open it to check, then choose it again.")),
    PdfFault.ENCRYPTED: (
        _l("The file is protected with a password. Nothing was stored."),
        _l("Save a copy without a password, then choose the copy."),
    ),
    PdfFault.TOO_LARGE: (_LARGE, _l("Save it with smaller pictures, or split it into parts.")),
    PdfFault.TOO_MANY_PAGES: (_TOO_MUCH, _l("Split it into parts.")),
    PdfFault.PAGE_TOO_LARGE: (_TOO_MUCH, _PRINT_AGAIN),
    PdfFault.TOO_MANY_REVISIONS: (_TOO_MUCH, _PRINT_AGAIN),
    PdfFault.TOO_COMPLEX: (_TOO_MUCH, _PRINT_AGAIN),
    PdfFault.NO_PAGES: (_l("The file has no pages. Nothing was stored."), _CHOOSE_ANOTHER),
    PdfFault.ACTIVE_CONTENT: (
        _l("The file contains a program or starts one. Such a file cannot be signed. Nothing was stored."),
        _PRINT_AGAIN,
    ),
    PdfFault.CERTIFIED: (_LOCKED, _ASK_OPEN_COPY),
    PdfFault.LOCKED: (_LOCKED, _ASK_OPEN_COPY),
}


@dataclass(frozen=True)
class Accepted:
    """A PDF that can be signed: rewritten once if it carried no signature, else as it came."""

    pdf: bytes = field(repr=False)
    pages: int
    signatures: int


def accept(pdf: bytes) -> Accepted:
    """Return the file ready to be signed. Raises Invalid or TooLarge with what to do; nothing is stored here."""
    if len(pdf) > LARGEST_PDF:
        raise refusal(PdfFault.TOO_LARGE)
    try:
        facts, output = sandbox.run(intake_job.accept, {}, pdf)
    except PdfRefused as error:
        raise refusal(PdfFault(error.fault)) from error
    with output:
        return Accepted(output.read(), int(facts["pages"]), int(facts["signatures"]))


def refusal(fault: PdfFault) -> AppError:
    """Return the error that tells a person why their file was refused."""
    sentence, next_step = REFUSALS.get(fault, REFUSALS[PdfFault.DAMAGED])
    return (TooLarge if fault is PdfFault.TOO_LARGE else Invalid)(sentence, next_step)
