"""The register of certificates: finding them, and what they are worth now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, exists, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from app.certificates.models import Authority, Certificate, CertificateState, Crl, Revocation
from app.core.errors import NotFound
from app.core.permissions import Actor, Permission
from app.registry import scope
from app.registry.models import Agency
from pki.profiles import ProfileName

PERSONAL: Final = (ProfileName.CITIZEN_SIGNING, ProfileName.OFFICIAL_SIGNING)
_BY_SHA256: Final = select(Certificate).where(Certificate.sha256 == bindparam("sha256"))
# By authority; there are a handful.
_INTERMEDIATES: Final[dict[UUID, tuple[bytes, ...]]] = {}


@dataclass(frozen=True)
class PassSigner:
    """A key that signs the passes of an agency; `certificate.key_reference` says where `worker` finds it."""

    agency: Agency
    certificate: Certificate
    # Four octets, in each pass.
    kid: bytes
    usable: bool


def is_usable(certificate: Certificate, *, now: datetime) -> bool:
    """Say whether something may be signed with the certificate now."""
    in_time = certificate.not_before <= now <= certificate.not_after
    return certificate.state == CertificateState.ISSUED and certificate.der is not None and in_time


def of_person(session: Session, person_id: UUID) -> Sequence[Certificate]:
    """Return the certificates of a person, newest first; intents that came to nothing are left out."""
    query = (
        select(Certificate)
        .where(Certificate.person_id == person_id, Certificate.der.is_not(None))
        .order_by(Certificate.not_before.desc(), Certificate.created_at.desc())
    )
    return session.scalars(query).all()


def current_of_person(
    session: Session, person_id: UUID, *, now: datetime, profiles: tuple[ProfileName, ...] = PERSONAL
) -> Certificate | None:
    """Return the person's newest usable signing certificate."""
    usable = [one for one in of_person(session, person_id) if is_usable(one, now=now) and one.profile in profiles]
    return usable[0] if usable else None


def find(session: Session, certificate_id: UUID) -> Certificate:
    """Return an issued certificate by id, without regard to scope: for holders and for signing. Raises NotFound."""
    certificate = session.get(Certificate, certificate_id)
    if certificate is None or certificate.der is None:
        raise NotFound(_l("There is no such certificate."))
    return certificate


def find_own(session: Session, person_id: UUID, certificate_id: UUID) -> Certificate:
    """Return a certificate of that person. Raises NotFound for anybody else's."""
    certificate = find(session, certificate_id)
    if certificate.person_id != person_id:
        raise NotFound(_l("There is no such certificate."))
    return certificate


def find_in_scope(session: Session, actor: Actor, permission: Permission, certificate_id: UUID) -> Certificate:
    """Return a certificate that the actor may see. Raises NotFound for one outside the scope too."""
    certificate = find(session, certificate_id)
    if not scope.covers(session, actor, permission, certificate.agency_id):
        raise NotFound(_l("There is no such certificate."))
    return certificate


def by_sha256(session: Session, sha256: str) -> Certificate | None:
    """Return the certificate whose DER has this digest (lower-case hex)."""
    return session.scalar(_BY_SHA256, {"sha256": sha256})


def chain_of(session: Session, certificate: Certificate) -> tuple[bytes, ...]:
    """Return the certificates above this one in DER, nearest first, the root last."""
    chain = []
    authority: Authority | None = certificate.authority
    while authority is not None:
        chain.append(authority.certificate_der)
        authority = session.get(Authority, authority.issuer_id) if authority.issuer_id else None
    return tuple(chain)


def intermediates_of(session: Session, certificate: Certificate) -> tuple[bytes, ...]:
    """Return the certificates between this one and the root in DER, nearest first.

    What stands above an authority never changes, so it is looked up once.
    """
    known = _INTERMEDIATES.get(certificate.authority_id)
    if known is None:
        known = _INTERMEDIATES[certificate.authority_id] = chain_of(session, certificate)[:-1]
    return known


def trust_material(session: Session) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return roots and intermediates of this city in DER."""
    rows = session.execute(select(Authority.certificate_der, Authority.issuer_id)).all()
    roots = tuple(der for der, issuer in rows if issuer is None)
    return roots, tuple(der for der, issuer in rows if issuer is not None)


def newest_crls(session: Session, lists: Collection[tuple[str, int]]) -> tuple[bytes, ...]:
    """Return the newest of these lists, by authority and shard, and that of the root; DER."""
    query = (
        select(Crl.der)
        .join(Authority, Authority.id == Crl.authority_id)
        .where(tuple_(Authority.name, Crl.shard).in_(lists) | Authority.issuer_id.is_(None))
        .ext(distinct_on(Crl.authority_id, Crl.shard))
        .order_by(Crl.authority_id, Crl.shard, Crl.number.desc())
    )
    return tuple(session.scalars(query))


def pass_signers(session: Session, *, now: datetime, agencies: Collection[UUID] | None = None) -> Sequence[PassSigner]:
    """Return every pass signer that has not ended by time, newest last; gates must know the unusable ones too.

    With `agencies` those of these agencies alone.

    One whose agency's seal was revoked or suspended after it was made is unusable: letters and passes end together.
    """
    seal = aliased(Certificate)
    without_seal = (
        exists()
        .where(
            seal.agency_id == Certificate.agency_id,
            seal.profile == ProfileName.AGENCY_SEAL,
            seal.created_at <= Certificate.created_at,
            Revocation.certificate_id == seal.id,
            Revocation.revoked_at > Certificate.created_at,
        )
        .correlate(Certificate)
    )
    query = (
        select(Certificate, Agency, without_seal)
        .join(Agency, Agency.id == Certificate.agency_id)
        .where(
            Certificate.profile == ProfileName.PASS_SIGNER,
            Certificate.der.is_not(None),
            Certificate.not_after >= now,
        )
        .order_by(Agency.code, Certificate.created_at)
    )
    if agencies is not None:
        query = query.where(Certificate.agency_id.in_(agencies))
    rows = session.execute(query).unique()
    return [PassSigner(agency, one, kid_of(one), is_usable(one, now=now) and not ended) for one, agency, ended in rows]


def pass_signer_of(session: Session, agency_id: UUID, *, now: datetime) -> PassSigner | None:
    """Return the newest usable pass signer of an agency, or of the nearest agency above that has one."""
    above: list[UUID] = []
    agency = session.get(Agency, agency_id)
    while agency is not None:
        above.append(agency.id)
        agency = session.get(Agency, agency.parent_id) if agency.parent_id else None
    found = pass_signers(session, now=now, agencies=above)
    signers = {signer.agency.id: signer for signer in found if signer.usable}
    return next((signers[one] for one in above if one in signers), None)


def seal_of(session: Session, agency_id: UUID, *, now: datetime) -> Certificate | None:
    """Return the newest usable seal of an agency."""
    query = (
        select(Certificate)
        .where(Certificate.profile == ProfileName.AGENCY_SEAL, Certificate.agency_id == agency_id)
        .order_by(Certificate.created_at.desc())
    )
    return next((one for one in session.scalars(query).unique() if is_usable(one, now=now)), None)


def kid_of(certificate: Certificate) -> bytes:
    """Return the four octets that name a pass signer in a pass: the beginning of its certificate's SHA-256."""
    return bytes.fromhex((certificate.sha256 or "")[:8])


def service_certificate(
    session: Session, profile: ProfileName, *, now: datetime, authority_id: UUID | None = None
) -> Certificate | None:
    """Return the newest usable certificate of a service of the house; `authority_id` for one issuer's alone."""
    query = select(Certificate).where(Certificate.profile == profile).order_by(Certificate.created_at.desc())
    if authority_id is not None:
        query = query.where(Certificate.authority_id == authority_id)
    return next((one for one in session.scalars(query).unique() if is_usable(one, now=now)), None)
