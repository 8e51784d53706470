"""Creating the authorities of a city with the certificates of its services, once, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.certificates import crls, issuance, key_access
from app.certificates.issuance import Owner
from app.certificates.journal import SigningJournal
from app.certificates.key_access import Keyholder, reference
from app.certificates.models import Authority, Certificate
from app.core.errors import Conflict, Invalid
from app.core.permissions import Actor
from app.core.settings import Settings
from app.registry.models import Agency
from pki.authority import Issuer, IssuerUrls, issue, new_serial_number, prepare
from pki.errors import PkiError
from pki.keys import SigningKey
from pki.lint import lint_certificate
from pki.names import AgencyName, ServiceName, SubjectName
from pki.profiles import PROFILES, ProfileName

Tell = Callable[[str], None]

# How many lists the certificates of a new authority are spread over, unless KYVAO_SHARDS says otherwise. The most
# people have the most: a list stays small enough to be put into a signed document.
SHARDS: Final = {
    ProfileName.ISSUING_CITIZENS: 128,
    ProfileName.ISSUING_OFFICIALS: 16,
    ProfileName.ISSUING_SEALS: 4,
    ProfileName.ISSUING_SERVICES: 1,
    ProfileName.TSA_AUTHORITY: 1,
}
# The generation is put behind: `Cấp cho người dân G1`.
NAMES: Final = {
    ProfileName.ROOT: "Gốc",
    ProfileName.ISSUING_CITIZENS: "Cấp cho người dân",
    ProfileName.ISSUING_OFFICIALS: "Cấp cho công chức",
    ProfileName.ISSUING_SEALS: "Cấp dấu cơ quan",
    ProfileName.ISSUING_SERVICES: "Cấp cho dịch vụ",
    ProfileName.TSA_AUTHORITY: "Dấu thời gian",
}


def create(
    session: Session,
    settings: Settings,
    *,
    actor: Actor,
    now: datetime,
    tell: Tell,
    made: Mapping[ProfileName, bytes] | None = None,
) -> None:
    """Create root, issuing authorities, timestamp branch, responders, first lists. Raises Conflict if any exist.

    `made` holds certificates from ceremonies (DER), of the root at least; their keys must be where a ceremony puts them
    under the usual names, `worker/<profile>`. What is not in it is made here. Raises Invalid if one does not fit.
    """
    if session.scalar(select(Authority.id).limit(1)) is not None:
        raise Conflict(_l("The authorities exist already."))
    tell("Root authority")
    made = made or {}
    root = _create_root(session, settings, now, made.get(ProfileName.ROOT))
    for profile in SHARDS:
        tell(f"Authority: {NAMES[profile]}")
        create_below(session, settings, root, profile, generation=1, now=now, made=made.get(profile))
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
        certify_responder(session, settings, authority, now=now)
    tell("First revocation lists")
    crls.publish_first(session, settings, all_authorities(session), now=now)
    audit.record(session, actor, "authorities_created", object_kind="authority", object_id=root.id)


def certify_agency(session: Session, settings: Settings, agency: Agency, *, actor: Actor, now: datetime) -> None:
    """Give an agency its seal and its pass signer: the keys that seal its letters and sign its invitations."""
    certify_seal(session, settings, agency, actor=actor, now=now)
    certify_pass_signer(session, settings, agency, actor=actor, now=now)


def certify_pass_signer(
    session: Session, settings: Settings, agency: Agency, *, actor: Actor, now: datetime
) -> Certificate:
    """Give an agency a key that signs its invitations, and the certificate for it."""
    return _certify_body(
        session, settings, agency, ProfileName.ISSUING_SERVICES, ProfileName.PASS_SIGNER, "pass", actor=actor, now=now
    )


def certify_seal(session: Session, settings: Settings, agency: Agency, *, actor: Actor, now: datetime) -> Certificate:
    """Give an agency a seal: a key that only `worker` can load, and its certificate."""
    return _certify_body(
        session, settings, agency, ProfileName.ISSUING_SEALS, ProfileName.AGENCY_SEAL, "seal", actor=actor, now=now
    )


def _certify_body(
    session: Session,
    settings: Settings,
    agency: Agency,
    issuer: ProfileName,
    profile: ProfileName,
    kind: str,
    *,
    actor: Actor,
    now: datetime,
) -> Certificate:
    name = AgencyName(agency.name[:64].strip(), agency.name[:64].strip(), f"XX:VN-{agency.code}")
    # A seal once a day, so that an interrupted attempt is taken up again; keys for passes may follow each other sooner.
    made = f"{now:%Y%m%d}" if profile is ProfileName.AGENCY_SEAL else f"{now:%Y%m%d%H%M%S}"
    key_name = f"{kind}_{agency.code}_{made}"
    certificate = certify_service(
        session, settings, find(session, issuer), profile, name, Keyholder.WORKER, key_name, now=now, agency=agency
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
    return certificate


def find(session: Session, name: ProfileName, *, now: datetime | None = None) -> Authority:
    """Return the newest authority of that profile that still issues; it must exist.

    With `now`, raises Conflict once its certificate would end before one that it issues (see `issues_until`).
    """
    query = select(Authority).where(Authority.profile == name, Authority.retired_at.is_(None))
    authority = session.scalars(query.order_by(Authority.generation.desc()).limit(1)).one_or_none()
    if authority is None or (now is not None and now > issues_until(authority)):
        raise Conflict(
            _l("This authority does not issue certificates any more."),
            _l("An administrator must make its next generation first."),
        )
    return authority


def issues_until(authority: Authority) -> datetime:
    """Return the last moment at which the longest certificate that it may issue still ends before its own.

    Seven of ten years for one that issues for three years.
    """
    issuer = ProfileName(authority.profile)
    below = [one.validity for one in PROFILES.values() if issuer in one.issued_by and not one.ocsp_no_check]
    ends = x509.load_der_x509_certificate(authority.certificate_der).not_valid_after_utc
    # The root signs its own certificate once; what counts are those below.
    return ends - max((one for one in below if one < PROFILES[issuer].validity), default=timedelta())


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


def certify_responder(session: Session, settings: Settings, authority: Authority, *, now: datetime) -> Certificate:
    """Give an authority its first OCSP responder; `status` has the key."""
    return certify_service(
        session, settings, authority, ProfileName.OCSP_RESPONDER,
        ServiceName(f"OCSP {authority.name} 1", settings.city), Keyholder.STATUS, f"ocsp_{authority.name}_1", now=now,
    )  # fmt: skip


def create_below(
    session: Session,
    settings: Settings,
    root: Authority,
    profile: ProfileName,
    *,
    generation: int,
    now: datetime,
    made: bytes | None = None,
) -> Authority:
    """Make the key and the certificate of an authority under the root. Raises KeyUnavailable without the root's key.

    `made` is the certificate that a ceremony made; then nothing is signed.
    """
    name = slug(profile, generation)
    key_reference = reference(Keyholder.WORKER, name)
    if made is None:
        key = key_access.make(settings, key_reference, PROFILES[profile].curve)
        root_key = key_access.load(settings, root.key_reference)
        urls = issuance.urls_of(settings, root.name, 0)
        # A second later than the root, so that no path ever begins before its anchor.
        certificate_der = _sign_authority(
            settings, profile, generation, key, root.certificate_der, root_key, urls, now + timedelta(seconds=1)
        )
    else:
        certificate_der = check_made(settings, profile, made, key_reference, root_der=root.certificate_der)
    authority = Authority(
        name=name,
        profile=profile,
        generation=generation,
        certificate_der=certificate_der,
        key_reference=key_reference,
        shards=settings.shards.get(profile, SHARDS[profile]),
        issuer_id=root.id,
    )
    session.add(authority)
    session.flush()
    return authority


def slug(profile: ProfileName, generation: int) -> str:
    """Return the name of an authority in addresses: its profile, and from the second generation on its number."""
    return str(profile) if generation == 1 else f"{profile}-g{generation}"


def check_made(
    settings: Settings, profile: ProfileName, certificate_der: bytes, key_reference: str, *, root_der: bytes
) -> bytes:
    """Return the certificate of an authority from a ceremony. Raises Invalid if it does not fit profile, key, root."""
    try:
        lint_certificate(certificate_der, PROFILES[profile])
        certificate = x509.load_der_x509_certificate(certificate_der)
        certificate.verify_directly_issued_by(x509.load_der_x509_certificate(root_der))
        Issuer(certificate_der, key_access.load(settings, key_reference))
    except (PkiError, ValueError, TypeError, InvalidSignature) as error:
        raise Invalid(_l("This is not a certificate of the root for that key and this kind of authority.")) from error
    return certificate_der


def _create_root(session: Session, settings: Settings, now: datetime, made: bytes | None) -> Authority:
    key_reference = reference(Keyholder.WORKER, "root")
    if made is None:
        key = key_access.make(settings, key_reference, PROFILES[ProfileName.ROOT].curve)
        certificate_der = _sign_authority(settings, ProfileName.ROOT, 1, key, None, key, IssuerUrls(), now)
    else:
        certificate_der = check_made(settings, ProfileName.ROOT, made, key_reference, root_der=made)
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


def _sign_authority(
    settings: Settings,
    profile: ProfileName,
    generation: int,
    key: SigningKey,
    issuer_der: bytes | None,
    issuer_key: SigningKey,
    urls: IssuerUrls,
    now: datetime,
) -> bytes:
    prepared = prepare(
        PROFILES[profile],
        ServiceName(f"{settings.city} {NAMES[profile]}"[:60].strip() + f" G{generation}", settings.city),
        key.public_key,
        issuer_certificate_der=issuer_der,
        issuer_profile=ProfileName.ROOT,
        serial_number=new_serial_number(),
        now=now,
        urls=urls,
    )
    return issue(prepared, issuer_key)
