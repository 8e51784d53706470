"""The letter put under the inviting agency's seal, in `worker`, which alone holds the key.

Level B-B, without a timestamp: a letter is worth something until its meeting, and a seal that is revoked must end it
at once. With a proof of time it would outlive the revocation.
"""

from __future__ import annotations

import textwrap
from datetime import datetime
from io import BytesIO
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.certificates import key_access, register
from app.certificates.models import Certificate
from app.core.i18n import local
from app.core.settings import Settings
from app.meetings import letter_pdf, letters
from app.meetings.models import Guest
from app.meetings.passes import Issued
from app.registry.models import Agency
from pki.pades.fields import Lock
from pki.pades.finish import finish
from pki.pades.placement import Placement
from pki.pades.plain_text import Ink, PlainText
from pki.pades.prepare import prepare

# Letters in a line of the seal.
_LINE: Final = 30
_SEAL_PT: Final = 11.0


def seal_for(session: Session, agency_id: UUID, *, now: datetime) -> Certificate | None:
    """Return the seal that an agency's invitations bear: its own, or that of the nearest agency above that has one."""
    agency = session.get(Agency, agency_id)
    while agency is not None:
        found = register.seal_of(session, agency.id, now=now)
        if found is not None and found.key_reference is not None:
            return found
        agency = session.get(Agency, agency.parent_id) if agency.parent_id else None
    return None


def make(session: Session, settings: Settings, guest: Guest, issued: Issued, *, now: datetime) -> bytes | None:
    """Return the sealed letter of a fresh pass; None where no agency up to the city has a seal.

    Raises KeyUnavailable if there is one and its key cannot be had: the job tries again.
    """
    seal = seal_for(session, guest.meeting.agency_id, now=now)
    if seal is None or seal.der is None:
        return None
    base = letter_pdf.render(letters.paper(settings, guest, issued, now=now))
    prepared = prepare(
        BytesIO(base),
        certificate_der=seal.der,
        now=now,
        mark=PlainText(_lines(seal, now), size_pt=_SEAL_PT, ink=Ink.RED, bold=True, centred=True),
        placement=Placement(1, letter_pdf.SEAL_BOX),
        lock=Lock.ALL,
        signer_name=seal.label,
    )
    update = finish(
        prepared,
        signature_value=key_access.load(settings, seal.key_reference).sign(prepared.signed_attributes_der),
        certificate_der=seal.der,
        chain_der=register.intermediates_of(session, seal),
        timestamp=None,
    )
    return base + update


def _lines(seal: Certificate, now: datetime) -> tuple[str, ...]:
    moment = local(now).strftime("%d/%m/%Y %H:%M:%S %z")
    return (*textwrap.wrap(seal.label, _LINE), f"{moment[:-2]}:{moment[-2:]}")
