"""What is interrupted, how it is taken up again, and how the tables alone tell what was lost or done twice."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from sqlalchemy import func, select

from app.accounts import service as accounts
from app.audit.models import AuditEntry
from app.campaigns.engine import Engine
from app.campaigns.models import Batch, BatchState, Outcome, Result
from app.certificates import crls, revocations, tasks
from app.certificates.models import (
    Authority,
    Certificate,
    CertificateRequest,
    CertificateState,
    Crl,
    RequestState,
    Revocation,
)
from app.core import db
from app.core.failpoints import reach
from app.core.permissions import house
from app.registry import service as registry
from pki.errors import CrlRefused
from pki.keys import Curve, SoftwareKey
from pki.profiles import ProfileName
from pki.revocation import RevocationReason
from scripts.bench.campaign_rows import add_campaign
from scripts.bench.city import City

# What a dead publisher had taken is free after this; ten seconds in life, less here so that a thousand runs end.
crls.LEASE = timedelta(seconds=0.3)  # type: ignore[misc]
ROWS = 24
_BATCH = 9
_ACTOR = house("crash bench")


@dataclass(frozen=True)
class Damage:
    lost: int = 0
    doubled: int = 0

    def __add__(self, other: Damage) -> Damage:
        return Damage(self.lost + other.lost, self.doubled + other.doubled)

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled)


@dataclass(frozen=True)
class Scenario:
    point: str
    # The point is passed up to so many times in a run; which time is left to chance.
    most: int
    arrange: Callable[[City], Any]
    act: Callable[[City, Any], None]
    recover: Callable[[City, Any], None]
    count: Callable[[City, Any], Damage]


def _campaign(city: City) -> uuid.UUID:
    return add_campaign(city, ROWS)


def _work_off(city: City, campaign_id: uuid.UUID) -> None:
    Engine(city.settings, campaign_id, size=_BATCH).run()


def _count_campaign(_: City, campaign_id: uuid.UUID) -> Damage:
    """Every row has one outcome, one issued certificate of its own and one entry; no serial number has two."""
    with db.transaction() as session:
        outcomes = session.scalars(
            select(Outcome).where(Outcome.campaign_id == campaign_id, Outcome.result == Result.CERTIFIED)
        ).all()
        people = [one.person_id for one in outcomes]
        found = session.scalars(select(Certificate).where(Certificate.person_id.in_(people))).unique().all()
        entries = session.scalar(
            select(func.count()).where(
                AuditEntry.act == "certificate_issued", AuditEntry.facts["campaign"].astext == str(campaign_id)
            )
        )
        still_open = session.scalar(
            select(func.count()).where(Batch.campaign_id == campaign_id, Batch.state != BatchState.DONE)
        )
        listed = set(session.scalars(select(Revocation.certificate_id)))
        authorities = {one.id: one for one in session.scalars(select(Authority))}
    issued = [one for one in found if one.state == CertificateState.ISSUED]
    lost = ROWS - len(outcomes) + (still_open or 0) + max(0, len(issued) - (entries or 0))
    lost += sum(one.id not in listed for one in found if one.state == CertificateState.ABANDONED)
    lost += sum(not _is_genuine(one, authorities[one.authority_id]) for one in issued)
    doubled = len(issued) - len({one.person_id for one in issued}) + max(0, (entries or 0) - len(issued))
    doubled += len(found) - len({one.serial for one in found})
    doubled += len(issued) - len({one.id for one in issued} & {one.certificate_id for one in outcomes})
    return Damage(lost, doubled)


def _request(city: City) -> uuid.UUID:
    """An approved request of somebody new."""
    key = SoftwareKey.generate(Curve.P256)
    spki = key.public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    with db.transaction() as session:
        person = registry.add_person(session, surname="Trần Văn", given_name="Minh", email=None, actor=_ACTOR)
        asker, decider = (accounts.create_account(session, login=uuid.uuid4().hex, label="Minh") for _ in range(2))
        request = CertificateRequest(
            person_id=person.id,
            profile=ProfileName.CITIZEN_SIGNING,
            spki_der=spki,
            spki_sha256=hashlib.sha256(spki).hexdigest(),
            state=RequestState.APPROVED,
            requested_by=asker.id,
            requested_at=datetime.now(UTC),
            decided_by=decider.id,
            decided_at=datetime.now(UTC),
        )
        session.add(request)
        session.flush()
        return request.id


def _issue(_: City, request_id: uuid.UUID) -> None:
    tasks.issue.func(str(request_id))


def _issue_until_done(_: City, request_id: uuid.UUID) -> None:
    # An abandoned intent queues another attempt; here the worker's next job is called at once.
    for _attempt in range(3):
        tasks.issue.func(str(request_id))


def _count_request(_: City, request_id: uuid.UUID) -> Damage:
    with db.transaction() as session:
        request = session.get_one(CertificateRequest, request_id)
        found = session.scalars(select(Certificate).where(Certificate.person_id == request.person_id)).unique().all()
        listed = set(session.scalars(select(Revocation.certificate_id)))
        entries = session.scalar(
            select(func.count()).where(
                AuditEntry.act == "certificate_issued", AuditEntry.facts["request"].astext == str(request_id)
            )
        )
        authorities = {one.id: one for one in session.scalars(select(Authority))}
    issued = [one for one in found if one.state == CertificateState.ISSUED]
    lost = int(request.state != RequestState.ISSUED) + int(not issued) + int(not entries)
    lost += sum(one.id not in listed for one in found if one.state == CertificateState.ABANDONED)
    lost += sum(one.state == CertificateState.PREPARED for one in found)
    lost += sum(not _is_genuine(one, authorities[one.authority_id]) for one in issued)
    doubled = max(0, len(issued) - 1) + max(0, (entries or 0) - 1) + len(found) - len({one.serial for one in found})
    return Damage(lost, doubled)


def _certificate(city: City) -> uuid.UUID:
    request_id = _request(city)
    tasks.issue.func(str(request_id))
    with db.transaction() as session:
        found = session.get_one(CertificateRequest, request_id).certificate_id
    if found is None:
        raise SystemExit("no certificate to revoke")
    return found


def _revoke(city: City, certificate_id: uuid.UUID) -> None:
    with db.transaction() as session:
        made = revocations.revoke(
            session, _ACTOR, certificate_id, reason=RevocationReason.CESSATION_OF_OPERATION, now=datetime.now(UTC)
        )
        authority, shard = made.authority.name, made.shard
    # As the page does after its transaction.
    reach("revoke.committed_before_publish")
    _publish(authority, shard)


def _publish(authority: str, shard: int) -> None:
    """Publish as `worker` does: when another publisher has the list, again a moment later."""
    for _attempt in range(50):
        try:
            tasks.publish_crl.func(authority, shard)
        except CrlRefused:
            sleep(0.1)
        else:
            return
    raise SystemExit("the list was never free")


def _count_revocation(_: City, certificate_id: uuid.UUID) -> Damage:
    """Revoked once, logged once, on the newest list once, and the numbers of its lists rise."""
    with db.transaction() as session:
        found = session.get_one(Certificate, certificate_id)
        entries = session.scalar(
            select(func.count()).where(
                AuditEntry.act == "certificate_revoked", AuditEntry.object_id == str(certificate_id)
            )
        )
        lists = session.scalars(
            select(Crl).where(Crl.authority_id == found.authority_id, Crl.shard == found.shard).order_by(Crl.number)
        ).all()
        count = session.scalar(
            select(func.count()).where(Revocation.authority_id == found.authority_id, Revocation.shard == found.shard)
        )
    newest = x509.load_der_x509_crl(lists[-1].der)
    on_list = newest.get_revoked_certificate_by_serial_number(found.serial_number) is not None
    lost = int(found.state != CertificateState.REVOKED) + int(not entries) + int(not on_list)
    lost += int(len(newest) != count)
    numbers = [
        x509.load_der_x509_crl(one.der).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        for one in lists
    ]
    return Damage(lost, max(0, (entries or 0) - 1) + len(numbers) - len(set(numbers)))


def _is_genuine(certificate: Certificate, authority: Authority) -> bool:
    issuer = x509.load_der_x509_certificate(authority.certificate_der)
    try:
        x509.load_der_x509_certificate(certificate.der or b"").verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _of_campaign(point: str, most: int) -> Scenario:
    return Scenario(point, most, _campaign, _work_off, _work_off, _count_campaign)


def _of_request(point: str) -> Scenario:
    return Scenario(point, 1, _request, _issue, _issue_until_done, _count_request)


def _of_revocation(point: str) -> Scenario:
    return Scenario(point, 1, _certificate, _revoke, _revoke, _count_revocation)


_BATCHES = -(-ROWS // _BATCH)
SCENARIOS = (
    _of_campaign("campaign.planned", _BATCHES),
    _of_campaign("issue.prepared", _BATCHES),
    _of_campaign("issue.before_sign", _BATCHES),
    _of_campaign("issue.signed_before_journal", ROWS),
    _of_campaign("issue.journalled", _BATCHES),
    _of_campaign("issue.before_commit", _BATCHES),
    _of_campaign("issue.committed_before_reply", _BATCHES),
    _of_request("request.intent_recorded"),
    _of_request("request.signed_before_journal"),
    _of_request("request.journalled"),
    _of_request("request.before_commit"),
    _of_revocation("revoke.before_commit"),
    _of_revocation("revoke.committed_before_publish"),
    _of_revocation("crl.signed_before_swap"),
    _of_revocation("crl.before_commit"),
)
