"""Do the three books agree: rows accepted, what was made of them, and what the log says."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.audit.models import AuditEntry
from app.campaigns.models import Campaign, Invitation, Mode, Outcome, Result, Row, RowState
from app.certificates.models import Certificate, CertificateState


@dataclass(frozen=True)
class Books:
    """Counts of rows, each made from its own table."""

    accepted: int
    # Certificates or invitations.
    made: int
    logged: int
    # Accepted rows for which nothing was made, with a recorded reason.
    passed_over: int
    # Serial numbers that may have been signed before a crash and are listed as revoked.
    abandoned: int

    @property
    def agree(self) -> bool:
        return self.accepted == self.made + self.passed_over and self.made == self.logged


def reconcile(session: Session, campaign_id: UUID) -> Books:
    """Count everything again from the rows themselves, not from counters. Reads big tables: a minute for a city."""
    mode = session.get_one(Campaign, campaign_id).mode
    accepted = _count(session, Row, (Row.campaign_id == campaign_id) & (Row.state == RowState.ACCEPTED))
    passed = _count(
        session,
        Outcome,
        (Outcome.campaign_id == campaign_id) & Outcome.result.in_((Result.FAILED, Result.SKIPPED)),
    )
    entries = AuditEntry.facts["campaign"].astext == str(campaign_id)
    if mode == Mode.INVITE:
        made = _count(session, Invitation, Invitation.campaign_id == campaign_id)
        logged = _count(session, AuditEntry, (AuditEntry.act == "person_invited") & entries)
        return Books(accepted, made, logged, passed, 0)
    certificates = (
        select(func.count())
        .select_from(Outcome)
        .join(Certificate, Certificate.id == Outcome.certificate_id)
        .where(Outcome.campaign_id == campaign_id, Certificate.der.is_not(None))
    )
    logged = _count(session, AuditEntry, (AuditEntry.act == "certificate_issued") & entries)
    given_up = _count(session, AuditEntry, (AuditEntry.act == "certificate_abandoned") & entries)
    return Books(accepted, session.execute(certificates).scalar_one(), logged, passed, given_up)


def doubled(session: Session, campaign_id: UUID) -> int:
    """Return how many people of a campaign have more than one good certificate of its kind: none, unless we erred."""
    query = text(
        "SELECT count(*) FROM (SELECT c.person_id FROM campaign_outcome o JOIN certificate c"
        " ON c.person_id = o.person_id AND c.profile = :profile AND c.state = :issued AND c.not_after > now()"
        " WHERE o.campaign_id = :campaign GROUP BY c.person_id HAVING count(*) > 1) AS twice"
    )
    profile = session.get_one(Campaign, campaign_id).profile
    found = session.execute(
        query, {"campaign": campaign_id, "profile": profile, "issued": CertificateState.ISSUED.value}
    )
    return int(found.scalar_one())


def _count(session: Session, table: type[object], condition: object) -> int:
    return session.execute(select(func.count()).select_from(table).where(condition)).scalar_one()  # type: ignore[arg-type]  # a condition of SQLAlchemy
