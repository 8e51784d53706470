"""What the page of an answer shows beside words: changed pages, the register, what the standard says, files to keep.

Pictures and files travel inside the page as data URLs: nothing of what was checked is kept here.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.claims.service import Comparison, Standing
from app.core.errors import Sentence
from app.core.i18n import moment
from app.verification.api import SignatureFacts, Verification
from app.verification.registered import Match, Registered
from pki.pades.report import PageDifference, ProofKind

# Together in one page, before Base64; pages behind that are told in words alone.
MOST_PICTURE_BYTES: Final = 3 * 1024 * 1024
_PROOFS: Final[Mapping[ProofKind, Sentence]] = {
    ProofKind.SIGNATURE_TIMESTAMP: _l("Timestamp over this signature"),
    ProofKind.DOCUMENT_TIMESTAMP: _l("Timestamp of the archive over the whole file"),
}


@dataclass(frozen=True)
class ChangedPage:
    number: int
    sentence: str
    # Whether something on it is explained by no later signature.
    is_unexplained: bool
    # Addresses of pictures; None where the page is missing on that side, or there are too many.
    signed: str | None
    received: str | None


@dataclass(frozen=True)
class KeptFile:
    """A file that the reader may keep: it is in the page already."""

    label: str
    name: str
    address: str


@dataclass(frozen=True)
class Technical:
    title: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RegisterNote:
    """What the register says of the file. It is `alarming` when the document is not what it was issued as."""

    sentence: str
    alarming: bool


def changed_pages(differences: Sequence[PageDifference]) -> tuple[ChangedPage, ...]:
    """Return the pages that changed, with pictures as long as they fit into the answer."""
    shown, left = [], MOST_PICTURE_BYTES
    for one in differences:
        left -= sum(len(picture) for picture in (one.signed_png, one.received_png) if picture)
        shown.append(_changed_page(one, with_pictures=left >= 0))
    return tuple(shown)


def _changed_page(one: PageDifference, *, with_pictures: bool) -> ChangedPage:
    places = ngettext("%(num)d place changed.", "%(num)d places changed.", len(one.boxes))
    if one.unexplained:
        why = _("What is outlined in red is explained by no later signature.")
    else:
        why = _("Later signatures and the fields foreseen for them explain all of it.")
    signed, received = (
        _picture(picture) if picture and with_pictures else None for picture in (one.signed_png, one.received_png)
    )
    return ChangedPage(one.page, f"{places} {why}", bool(one.unexplained), signed, received)


def register_note(found: Registered | None) -> RegisterNote | None:
    """Return what may be said of an issued document that was recognised."""
    if found is None:
        return None
    compared = found.comparison
    out_of_force = compared.standing in (Standing.WITHDRAWN, Standing.REPLACED)
    sentences = [_matching(found.match, _named(compared)), *_standing(compared)]
    return RegisterNote(" ".join(sentences), alarming=out_of_force or found.match is Match.BEGINS_WITH)


def _named(compared: Comparison) -> str:
    """Return the document as its class lets us name it."""
    if compared.number is None or compared.issued_on is None:
        return str(_("a document that the city issued"))
    return str(
        _(
            "document %(number)s of %(agency)s, %(day)s",
            number=compared.number,
            agency=compared.agency,
            day=compared.issued_on.strftime("%d/%m/%Y"),
        )
    )


def _matching(match: Match, document: str) -> str:
    if match is Match.EXACT:
        return str(_("This is exactly the issued version of %(document)s.", document=document))
    if match is Match.ARCHIVED:
        return str(
            _("This is the issued version of %(document)s, with proofs that our archive added.", document=document)
        )
    return str(
        _("The file begins with the issued version of %(document)s, and somebody added to it.", document=document)
    )


def _standing(compared: Comparison) -> list[str]:
    if compared.standing is Standing.WITHDRAWN and compared.withdrawn_at is not None:
        return [_("It was withdrawn on %(moment)s and is no longer in force.", moment=moment(compared.withdrawn_at))]
    if compared.standing is Standing.REPLACED:
        return [_("It is no longer in force: %(number)s stands in its place.", number=compared.replaced_by)]
    return []


def technical(facts: Verification) -> tuple[Technical, ...]:
    """Return what EN 319 102-1 says of each signature, in its own words."""
    return tuple(
        Technical(str(_("Signature %(number)s", number=number)), _technical_rows(one))
        for number, one in enumerate(facts.signatures, 1)
    )


def _technical_rows(one: SignatureFacts) -> tuple[tuple[str, str], ...]:
    rows = [
        (_("Indication (EN 319 102-1)"), one.indication),
        (_("Sub-indication"), one.sub_indication or "–"),
        (_("Code of our reason"), one.reason),
        (_("Field in the file"), one.field),
        (_("SHA-256 of the certificate"), one.certificate_sha256 or "–"),
    ]
    if one.proven_by is not None:
        kind = _PROOFS[one.proven_by.kind]
        rows.append((_("Proof of existence"), f"{kind}, {moment(one.proven_by.at)}"))
    return tuple((str(word), value) for word, value in rows)


def kept_files(facts: Verification) -> tuple[KeptFile, ...]:
    """Return the report as files: for programs, and in the form of the standard where a signature is there."""
    stem = f"kiem-tra-{facts.sha256[:12]}"
    plain = facts.model_dump_json(exclude={"etsi_report"}, indent=2)
    files = [KeptFile(str(_("Report as JSON")), f"{stem}.json", _address("application/json", plain.encode()))]
    if facts.etsi_report is not None:
        xml = facts.etsi_report.encode()
        files.append(
            KeptFile(str(_("Report as XML (ETSI TS 119 102-2)")), f"{stem}.xml", _address("application/xml", xml))
        )
    return tuple(files)


def _picture(png: bytes) -> str:
    return _address("image/png", png)


def _address(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
