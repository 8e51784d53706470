"""What a person brings: opened in the limited process, made ready to be signed, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Final

from flask_babel import lazy_gettext as _l

from app.core.errors import AppError, Invalid, Sentence, TooLarge
from app.documents import intake_job, sandbox
from pki.errors import PdfRefused
from pki.pades.faults import PdfFault

_CHOOSE_ANOTHER: Final = _l("Choose another file.")
_PRINT_AGAIN: Final = _l("Open it and save or print it as a new PDF, then choose the new file.")
_LOCKED: Final = _l("The file was closed by an earlier signer: nobody may sign it any more. Nothing was stored.")
_ASK_OPEN_COPY: Final = _l("Ask the person who made it for a copy that may still be signed.")
_LARGE: Final = _l("The file is larger than 100 MB. Nothing was stored.")
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
    # Of a signed file only: from any other it is taken away.
    PdfFault.ACTIVE_CONTENT: (
        _l(
            "The file is signed, and contains a program or starts one. It cannot be signed further. Nothing was stored."
        ),
        _l("Ask the person who made it for a copy without programs, signed anew."),
    ),
    PdfFault.RESTRICTED: (
        _l("The owner of the file allows no changes to it, and a signature is one. Nothing was stored."),
        _l("Ask the owner for a copy that may be changed."),
    ),
    PdfFault.XFA_ONLY: (
        _l("The form can be seen in one program only (XFA). Nothing was stored."),
        _l("Open it there, fill it in and print it as a PDF, then choose the new file."),
    ),
    PdfFault.UNSIGNABLE: (
        _l("The file can be read, but no signature can be put into it. Nothing was stored."),
        _PRINT_AGAIN,
    ),
    PdfFault.CERTIFIED: (_LOCKED, _ASK_OPEN_COPY),
    PdfFault.LOCKED: (_LOCKED, _ASK_OPEN_COPY),
}


@dataclass(frozen=True)
class Accepted:
    """A PDF that can be signed: rewritten once if it carried no signature, else as it came. Its holder closes it."""

    file: IO[bytes] = field(repr=False)
    pages: int
    signatures: int
    # Codes of what was done to it or should be looked at, in words in `notices`.
    notices: tuple[str, ...] = ()


def accept(source: bytes | IO[bytes], *, keep_fields: bool = False) -> Accepted:
    """Return the file ready to be signed, its first octet next. Raises Invalid or TooLarge with what to do.

    Nothing is stored here. A `source` that is a file on the disk is never held in memory.
    """
    try:
        facts, output = sandbox.run(intake_job.accept, {"keep_fields": keep_fields}, source)
    except PdfRefused as error:
        raise refusal(PdfFault(error.fault)) from error
    if not facts["rewritten"]:
        output.close()
        output = BytesIO(source) if isinstance(source, bytes) else source
        output.seek(0)
    return Accepted(output, int(facts["pages"]), int(facts["signatures"]), tuple(facts["notices"]))


def refusal(fault: PdfFault) -> AppError:
    """Return the error that tells a person why their file was refused."""
    sentence, next_step = REFUSALS.get(fault, REFUSALS[PdfFault.DAMAGED])
    return (TooLarge if fault is PdfFault.TOO_LARGE else Invalid)(sentence, next_step)
