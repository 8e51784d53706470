"""The answers of a check in words: one sentence for the file, then what is known of each signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.core.errors import AppError, Invalid, Sentence, TooLarge
from app.core.i18n import day, moment
from app.trust.models import Kind
from app.trust.words import CLASSES
from pki.pades.faults import PdfFault
from pki.pades.report import Changes, Reason, Report, SignatureReport, TimeProof, Verdict

_TONES: Final[Mapping[Verdict, str]] = {
    Verdict.VALID: "good",
    Verdict.NOT_VALID: "bad",
    Verdict.INDETERMINATE: "unsure",
}
_TITLES: Final[Mapping[Verdict, Sentence]] = {
    Verdict.VALID: _l("Valid"),
    Verdict.NOT_VALID: _l("Not valid"),
    Verdict.INDETERMINATE: _l("Not enough evidence"),
}
REASONS: Final[Mapping[Reason, Sentence]] = {
    Reason.OK: _l("The content is unchanged since it was signed, and the certificate was good at that time."),
    Reason.UNSIGNED: _l("The file carries no digital signature. A picture of a signature proves nothing."),
    Reason.NOT_READABLE: _l("The file is damaged or was put together in a way that cannot be trusted."),
    Reason.BYTES_AFTER_END: _l("Something was added behind the end of the file after it was signed."),
    Reason.BYTES_BEFORE_START: _l("Something stands before the beginning of the file."),
    Reason.BYTE_RANGE: _l("The signature does not cover what it should cover."),
    Reason.CHANGED: _l("The content was changed after it was signed."),
    Reason.CHANGED_AFTER_SIGNING: _l("Pages, text or other content were changed after it was signed."),
    Reason.OVERLAID_AFTER_SIGNING: _l("After it was signed, a new mark was laid over the content. Compare the pages."),
    Reason.FORM_FILLED_AFTER_SIGNING: _l(
        "The signature is intact, but form fields were filled in later, and nobody signed what stands there. "
        "Compare the pages."
    ),
    Reason.PAGES_DIFFER: _l(
        "A page does not look as it did when it was signed, and nothing in the file explains why. Compare the pages."
    ),
    Reason.PAGES_NOT_COMPARED: _l(
        "Whether the pages still look as they did when they were signed could not be established."
    ),
    Reason.NOT_COVERED: _l("Part of the file is covered by no signature."),
    Reason.COPIED: _l("This signature is a copy of another one in the file."),
    Reason.BAD_SIGNATURE: _l("The signature does not belong to the certificate that stands with it."),
    Reason.BAD_TIMESTAMP: _l(
        "A timestamp in the file does not belong to it. The signature holds, but the proof of time was tampered with."
    ),
    Reason.UNFIT_CERTIFICATE: _l("The certificate may not be used to sign documents."),
    Reason.UNTRUSTED: _l(
        "The certificate was issued by an authority that we do not know, so we cannot say who signed."
    ),
    Reason.OUT_OF_VALIDITY: _l("The certificate was not valid at the time of the signature."),
    Reason.REVOKED: _l("The certificate was revoked or suspended before the signature was made."),
    Reason.REVOKED_TIME_NOT_PROVEN: _l(
        "The certificate is revoked or suspended, and nothing proves that the signature was made before that."
    ),
    Reason.STATUS_UNKNOWN: _l("Whether the certificate was revoked could not be established."),
}
_ASK_ORIGINAL: Final = _l("Do not rely on it. Ask whoever sent it for the file as it was signed.")
_ASK_SIGNER: Final = _l("Look at what was added, and ask the signer whether they agreed to it.")
_SIGN_AGAIN: Final = _l("Ask the signer to sign again with a valid certificate.")
_LATER: Final = _l("Check it again in an hour. If it stays so, ask whoever sent it.")
# What to do about a file that is not valid.
NEXT_STEPS: Final[Mapping[Reason, Sentence]] = {
    Reason.UNSIGNED: _l("If it should be signed, ask whoever sent it for the signed file, not for a scan or a print."),
    Reason.NOT_READABLE: _ASK_ORIGINAL,
    Reason.BYTES_AFTER_END: _ASK_ORIGINAL,
    Reason.BYTES_BEFORE_START: _ASK_ORIGINAL,
    Reason.BYTE_RANGE: _ASK_ORIGINAL,
    Reason.CHANGED: _ASK_ORIGINAL,
    Reason.CHANGED_AFTER_SIGNING: _ASK_ORIGINAL,
    Reason.OVERLAID_AFTER_SIGNING: _ASK_SIGNER,
    Reason.FORM_FILLED_AFTER_SIGNING: _ASK_SIGNER,
    Reason.PAGES_DIFFER: _ASK_SIGNER,
    Reason.PAGES_NOT_COMPARED: _LATER,
    Reason.NOT_COVERED: _ASK_ORIGINAL,
    Reason.COPIED: _ASK_ORIGINAL,
    Reason.BAD_SIGNATURE: _ASK_ORIGINAL,
    Reason.BAD_TIMESTAMP: _ASK_ORIGINAL,
    Reason.UNFIT_CERTIFICATE: _SIGN_AGAIN,
    Reason.UNTRUSTED: _l("Ask the signer by a way that you know, such as the phone number of their office."),
    Reason.OUT_OF_VALIDITY: _SIGN_AGAIN,
    Reason.REVOKED: _SIGN_AGAIN,
    Reason.REVOKED_TIME_NOT_PROVEN: _SIGN_AGAIN,
    Reason.STATUS_UNKNOWN: _LATER,
}
_CHANGES: Final[Mapping[Changes, Sentence]] = {
    Changes.NONE: _l("Nothing"),
    Changes.PROOFS: _l("Proofs for the archive were added"),
    Changes.SIGNATURES: _l("Further signatures were added; the content stayed the same"),
    Changes.FORM: _l("Form fields were filled in or changed"),
    Changes.OTHER: _l("Content was changed"),
}
_REFUSALS: Final[Mapping[PdfFault, tuple[Sentence, Sentence]]] = {
    PdfFault.NOT_A_PDF: (_l("The file is not a PDF."), _l("Open it to check, then choose it again.")),
    PdfFault.ENCRYPTED: (
        _l("The file is protected with a password, so its signatures cannot be read."),
        _l("Ask the sender for a copy without a password."),
    ),
    PdfFault.TOO_LARGE: (_l("The file is larger than 100 MB."), _l("Check it with a PDF program on your computer.")),
    PdfFault.TOO_COMPLEX: (
        _l("The file is too complicated to be read safely, so nothing can be said about it."),
        _l("Ask the sender for another copy."),
    ),
}


@dataclass(frozen=True)
class SignatureAnswer:
    signer: str
    tone: str
    title: str
    sentence: str
    # Pairs of a word and what is known.
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answer:
    # good, bad or unsure: a colour and an icon, never without the word.
    tone: str
    title: str
    sentence: str
    # None when there is nothing to do.
    next_step: str | None
    findings: tuple[str, ...]
    signatures: tuple[SignatureAnswer, ...]


def refusal(fault: PdfFault) -> AppError:
    """Return the error for a file that cannot be checked at all."""
    sentence, next_step = _REFUSALS.get(fault, _REFUSALS[PdfFault.TOO_COMPLEX])
    return (TooLarge if fault is PdfFault.TOO_LARGE else Invalid)(sentence, next_step)


def answer(report: Report, kinds: Mapping[str, Kind]) -> Answer:
    """Return the page's words for a report; `kinds` says whose root is behind each SHA-256 of one."""
    title = _("No signature") if report.reason is Reason.UNSIGNED else str(_TITLES[report.verdict])
    findings = []
    if report.lenient:
        findings.append(
            _("The file does not keep to the rules of PDF everywhere; other programs may show it otherwise.")
        )
    if report.holds_until is not None:
        findings.append(_lasting(report, report.holds_until))
    return Answer(
        tone=_TONES[report.verdict],
        title=title,
        sentence=_summary(report),
        next_step=str(NEXT_STEPS[report.reason]) if report.reason in NEXT_STEPS else None,
        findings=tuple(findings),
        signatures=tuple(_signature(one, kinds.get(one.root_sha256)) for one in report.signatures),
    )


def _lasting(report: Report, until: datetime) -> str:
    if all(one.proven_at is not None for one in report.signatures):
        return str(
            _(
                "The file proves this by itself until %(day)s. The archive that keeps it must add new proofs before.",
                day=day(until),
            )
        )
    return str(
        _(
            "No timestamp proves when it was signed: after %(day)s, when the certificate ends, this can no longer be "
            "shown.",
            day=day(until),
        )
    )


def _summary(report: Report) -> str:
    if report.verdict is not Verdict.VALID:
        return str(REASONS[report.reason])
    names = ", ".join(_who(one) for one in report.signatures)
    return str(_("Signed by %(names)s. The content is unchanged.", names=names))


def _who(one: SignatureReport) -> str:
    return f"{one.signer} ({one.organisation})" if one.organisation else one.signer or str(_("unknown"))


def _signature(one: SignatureReport, kind: Kind | None) -> SignatureAnswer:
    sentence = str(REASONS[one.reason])
    if one.verdict is Verdict.VALID and one.revoked_at is not None:
        sentence = _(
            "The certificate is revoked since %(moment)s; the signature was made before that and stays valid.",
            moment=moment(one.revoked_at),
        )
    return SignatureAnswer(
        signer=one.signer or _("unknown"),
        tone=_TONES[one.verdict],
        title=str(_TITLES[one.verdict]),
        sentence=sentence,
        rows=(
            (_("Signer"), ", ".join(part for part in (one.signer, one.title) if part) or _("unknown")),
            (_("For which body"), one.organisation or _("none; a person signed for themselves")),
            (_("Time"), _time(one)),
            (_("Covers the whole file"), _covered(one)),
            (_("What changed after it"), _changes(one)),
            (_("Revocation"), _revocation(one)),
            (_("Issued by"), one.issuer or _("unknown")),
            (_("Certificate valid"), _validity(one)),
            (_("Number of the certificate"), one.serial_hex),
            (_("Kind of signature"), _kind(one, kind)),
        ),
    )


def _time(one: SignatureReport) -> str:
    if one.proven_at is not None:
        return str(_("%(moment)s, proven by a timestamp", moment=moment(one.proven_at)))
    if one.claimed_at is None:
        return str(_("not known"))
    if one.time_proof is TimeProof.BAD_TIMESTAMP:
        return str(_("%(moment)s, only claimed: its timestamp cannot be trusted", moment=moment(one.claimed_at)))
    return str(_("%(moment)s, only claimed by the signer", moment=moment(one.claimed_at)))


def _covered(one: SignatureReport) -> str:
    if one.covers_whole_file:
        return str(_("Yes"))
    if one.covers and one.changes_after in (Changes.PROOFS, Changes.SIGNATURES):
        return str(_("Yes, as it was when it was signed"))
    return str(_("No, the file grew after it"))


def _validity(one: SignatureReport) -> str:
    if one.not_before is None or one.not_after is None:
        return str(_("unknown"))
    return str(_("from %(first)s to %(last)s", first=moment(one.not_before), last=moment(one.not_after)))


def _changes(one: SignatureReport) -> str:
    # What lies outside the signature cannot be compared with anything.
    if one.reason in (Reason.NOT_COVERED, Reason.BYTE_RANGE):
        return str(_("Not known"))
    return str(_CHANGES[one.changes_after])


def _revocation(one: SignatureReport) -> str:
    if one.revoked_at is not None:
        if one.revocation_reason == "certificateHold":
            return str(_("Suspended since %(moment)s", moment=moment(one.revoked_at)))
        return str(_("Revoked since %(moment)s", moment=moment(one.revoked_at)))
    if one.reason in (Reason.UNTRUSTED, Reason.STATUS_UNKNOWN):
        return str(_("Could not be checked"))
    return str(_("Not revoked, as far as the newest lists say"))


def _kind(one: SignatureReport, kind: Kind | None) -> str:
    if kind is None:
        return str(_("Not known"))
    if kind is not Kind.OWN:
        return str(CLASSES[kind])
    if one.is_seal:
        return str(_("Specialised electronic signature of the city; a seal whose key a server of the city keeps"))
    return str(_("Specialised electronic signature of the city; the key lies on the signer's device"))
