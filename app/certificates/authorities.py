"""Creating the authorities of a city with the certificates of its services, once, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.certificates import crls, issuance, key_access
from app.certificates.issuance import Owner
from app.certificates.journal import SigningJournal
from app.certificates.key_access import Keyholder, reference
from app.certificates.models import Authority, Certificate
from app.core.errors import Conflict
from app.core.permissions import Actor
from app.core.settings import Settings
from app.registry.models import Agency
from pki.authority import IssuerUrls, issue, new_serial_number, prepare
from pki.keys import SigningKey
from pki.names import AgencyName, ServiceName, SubjectName
from pki.profiles import PROFILES, ProfileName

Tell = Callable[[str], None]

# How many lists the certificates of each authority are spread over (a city of half a million: 128 for citizens).
SHARDS: Final = {
    ProfileName.ISSUING_CITIZENS: 4,
    ProfileName.ISSUING_OFFICIALS: 2,
    ProfileName.ISSUING_SEALS: 1,
    ProfileName.ISSUING_SERVICES: 1,
    ProfileName.TSA_AUTHORITY: 1,
}
NAMES: Final = {
    ProfileName.ROOT: "Gốc G1",
    ProfileName.ISSUING_CITIZENS: "Cấp cho người dân G1",
    ProfileName.ISSUING_OFFICIALS: "Cấp cho công chức G1",
    ProfileName.ISSUING_SEALS: "Cấp dấu cơ quan G1",
    ProfileName.ISSUING_SERVICES: "Cấp cho dịch vụ G1",
    ProfileName.TSA_AUTHORITY: "Dấu thời gian G1",
}


def create(session: Session, settings: Settings, *, actor: Actor, now: datetime, tell: Tell) -> None:
    """Create root, issuing authorities, timestamp branch, responders, first lists. Raises Conflict if any exist."""
    if session.scalar(select(Authority.id).limit(1)) is not None:
        raise Conflict(_l("The authorities exist already."))
    tell("Root authority")
    root = _create_root(session, settings, now)
    for profile, shards in SHARDS.items():
        tell(f"Authority: {NAMES[profile]}")
        _create_below(session, settings, root, profile, shards, now)
    services = find(session, ProfileName.ISSUING_SERVICES)
    tell("Timestamp unit, OCSP responders, signer of the gates' lists")
    certify_service(
        session, settings, find(session, ProfileName.TSA_AUTHORITY), ProfileName.TSA_UNIT,
        ServiceName(f"{settings.city} TSA 1", settings.city), Keyholder.STATUS, "tsa_unit_1", now=now,
    )  # fmt: skip
    certify_service(
        session, settings, services, ProfileName.TRUST_LIST_SIGNER,
        ServiceName(f"{settings.city} Danh sách cổng 1", settings.city), Keyholder.WORKER, "trust_list_1", now=now,
    )  # fmt: skip
    for authority in all_authorities(session):
        certify_service(
            session, settings, authority, ProfileName.OCSP_RESPONDER,
            ServiceName(f"OCSP {authority.name} 1", settings.city), Keyholder.STATUS, f"ocsp_{authority.name}_1",
            now=now,
        )  # fmt: skip
    tell("First revocation lists")
    crls.publish_all(session, settings, now=now)
    audit.record(session, actor, "authorities_created", object_kind="authority", object_id=root.id)


def certify_agency(session: Session, settings: Settings, agency: Agency, *, actor: Actor, now: datetime) -> None:
    """Give an agency its seal and its pass signer: the keys that seal its letters and sign its invitations."""
    name = AgencyName(agency.name[:64].strip(), agency.name[:64].strip(), f"XX:VN-{agency.code}")
    for issuer, profile, kind in (
        (ProfileName.ISSUING_SEALS, ProfileName.AGENCY_SEAL, "seal"),
        (ProfileName.ISSUING_SERVICES, ProfileName.PASS_SIGNER, "pass"),
    ):
        key_name = f"{kind}_{agency.code}_{now:%Y%m%d}"
        authority = find(session, issuer)
        certificate = certify_service(
            session, settings, authority, profile, name, Keyholder.WORKER, key_name, now=now, agency=agency
        )
        audit.record(
            session,
            actor,
            "certificate_issued",
            object_kind="certificate",
            object_id=certificate.id,
            agency_id=agency.id,
            serial=certificate.serial_hex,
        )


def find(session: Session, name: ProfileName) -> Authority:
    """Return the newest authority of that profile that still issues; it must exist."""
    query = select(Authority).where(Authority.profile == name, Authority.retired_at.is_(None))
    return session.scalars(query.order_by(Authority.generation.desc()).limit(1)).one()


def all_authorities(session: Session) -> list[Authority]:
    return list(session.scalars(select(Authority).order_by(Authority.name)))


def certify_service(
    session: Session,
    settings: Settings,
    authority: Authority,
    profile: ProfileName,
    subject: SubjectName,
    holder: Keyholder,
    key_name: str,
    *,
    now: datetime,
    agency: Agency | None = None,
) -> Certificate:
    """Make a key that the house holds and a certificate for it."""
    key_reference = reference(holder, key_name)
    key = key_access.make(settings, key_reference, PROFILES[profile].curve)
    owner = Owner(agency_id=agency.id if agency else None, key_reference=key_reference)
    certificate = issuance.reserve(session, settings, authority, profile, subject, key.public_key, owner, now=now)
    issuer_key = key_access.load(settings, authority.key_reference)
    signed = issuance.sign(certificate, issuer_key, SigningJournal(settings.data_dir))
    if signed is None:
        raise Conflict(_l("An earlier attempt was interrupted. Start again."))
    issuance.store(session, certificate, signed)
    return certificate


def _create_root(session: Session, settings: Settings, now: datetime) -> Authority:
    key_reference = reference(Keyholder.WORKER, "root")
    key = key_access.make(settings, key_reference, PROFILES[ProfileName.ROOT].curve)
    certificate_der = _sign_authority(settings, ProfileName.ROOT, key, None, key, IssuerUrls(), now)
    root = Authority(
        name=ProfileName.ROOT,
        profile=ProfileName.ROOT,
        certificate_der=certificate_der,
        key_reference=key_reference,
        shards=1,
    )
    session.add(root)
    session.flush()
    return root


def _create_below(
    session: Session, settings: Settings, root: Authority, profile: ProfileName, shards: int, now: datetime
) -> None:
    key_reference = reference(Keyholder.WORKER, profile)
    key = key_access.make(settings, key_reference, PROFILES[profile].curve)
    root_key = key_access.load(settings, root.key_reference)
    urls = issuance.urls_of(settings, root.name, 0)
    # A minute later than the root, so that no path ever begins before its anchor.
    certificate_der = _sign_authority(
        settings, profile, key, root.certificate_der, root_key, urls, now + timedelta(seconds=1)
    )
    session.add(
        Authority(
            name=profile,
            profile=profile,
            certificate_der=certificate_der,
            key_reference=key_reference,
            shards=shards,
            issuer_id=root.id,
        )
    )
    session.flush()


def _sign_authority(
    settings: Settings,
    profile: ProfileName,
    key: SigningKey,
    issuer_der: bytes | None,
    issuer_key: SigningKey,
    urls: IssuerUrls,
    now: datetime,
) -> bytes:
    prepared = prepare(
        PROFILES[profile],
        ServiceName(f"{settings.city} {NAMES[profile]}"[:64], settings.city),
        key.public_key,
        issuer_certificate_der=issuer_der,
        issuer_profile=ProfileName.ROOT,
        serial_number=new_serial_number(),
        now=now,
        urls=urls,
    )
    return issue(prepared, issuer_key)
