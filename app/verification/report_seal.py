"""The seal under reports of checks: its own key and certificate, made and used by `worker` alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import BytesIO
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.archive import service as archive
from app.audit import service as audit
from app.certificates import authorities, key_access, register
from app.certificates.key_access import Keyholder
from app.certificates.models import Certificate
from app.core.errors import Unavailable
from app.core.i18n import local
from app.core.permissions import Actor
from app.core.settings import Settings
from app.core.timestamping import Timestamper
from app.documents.models import Level
from app.registry.models import Agency
from pki.errors import TimestampRefused
from pki.names import AgencyName
from pki.pades.finish import finish
from pki.pades.placement import Placement
from pki.pades.plain_text import Ink, PlainText
from pki.pades.prepare import prepare
from pki.profiles import ProfileName

# A new one is made while the old one still seals.
LEFT: Final = timedelta(days=60)
_LOCK: Final = 4_901_427
# At the foot of the first page, in points: under the text, which ends above it.
_FOOT: Final = (62.0, 18.0, 533.0, 52.0)
_LETTERS_PT: Final = 9.0


def renew(session: Session, settings: Settings, actor: Actor, *, now: datetime) -> Certificate | None:
    """Make the seal, or the next one when it ends soon; None when there is nothing to do. Raises PkiError, Conflict."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = current(session, now=now)
    if found is not None and found.not_after - now > LEFT:
        return None
    made = authorities.certify_service(
        session,
        settings,
        authorities.find(session, ProfileName.ISSUING_SEALS),
        ProfileName.REPORT_SEAL,
        _subject(session, settings),
        Keyholder.WORKER,
        f"report_seal_{now:%Y%m%d%H%M%S}",
        now=now,
    )
    audit.record(
        session,
        actor,
        "certificate_issued",
        object_kind="certificate",
        object_id=made.id,
        serial=made.serial_hex,
    )
    return made


def current(session: Session, *, now: datetime) -> Certificate | None:
    """Return the seal that may be used now."""
    return register.service_certificate(session, ProfileName.REPORT_SEAL, now=now)


def seal(session: Session, settings: Settings, pdf: bytes, *, timestamp: Timestamper, now: datetime) -> bytes:
    """Return our own PDF under the seal, visible at its foot, with everything that proves it for decades (B-LTA).

    Raises Unavailable when there is no seal, or when timestamps and proofs cannot be had.
    """
    found = current(session, now=now)
    if found is None or found.der is None:
        raise Unavailable(_l("There is no seal for reports."))
    base = BytesIO(pdf)
    prepared = prepare(
        base,
        certificate_der=found.der,
        now=now,
        mark=PlainText(_lines(settings, found, now), size_pt=_LETTERS_PT, ink=Ink.RED),
        placement=Placement(1, _FOOT),
        signer_name=found.label,
    )
    try:
        update = finish(
            prepared,
            signature_value=key_access.load(settings, found.key_reference).sign(prepared.signed_attributes_der),
            certificate_der=found.der,
            chain_der=register.chain_of(session, found)[:-1],
            timestamp=timestamp,
        )
    except TimestampRefused as error:
        raise Unavailable(_l("The timestamp service does not answer.")) from error
    signed = pdf + update
    return signed + archive.augment_to(session, settings, signed, level=Level.ARCHIVE, timestamp=timestamp).appended


def _lines(settings: Settings, certificate: Certificate, now: datetime) -> tuple[str, ...]:
    moment = local(now).strftime("%d/%m/%Y %H:%M:%S %z")
    return (_("Sealed by: %(name)s", name=f"{certificate.label}, {settings.city}"), f"{moment[:-2]}:{moment[-2:]}")


def _subject(session: Session, settings: Settings) -> AgencyName:
    """Return the service's own name, under the number of the body at the head of the city."""
    code = session.scalar(select(Agency.code).where(Agency.parent_id.is_(None)).order_by(Agency.created_at).limit(1))
    if code is None:
        raise Unavailable(_l("There is no seal for reports."))
    return AgencyName("Dịch vụ kiểm tra chữ ký", settings.city[:64].strip(), f"XX:VN-{code}")
