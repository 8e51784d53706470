"""From the rows of a batch to what will be signed: key proven, person entered, certificate prepared and linted."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import process_time
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Integer, Text, Uuid, any_, cast, func, select
from sqlalchemy import Row as SqlRow
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from app.campaigns.intents import Intent, Intents
from app.campaigns.models import Batch, Campaign, Outcome, Result, Row
from app.certificates import authorities, issuance, profile_settings
from app.certificates.models import Authority, BlockedKey, Certificate, CertificateState
from app.certificates.profile_choice import issuer_of
from app.certificates.renewals import not_after_limit
from app.core.identifiers import ordered_ids
from app.core.settings import Settings
from app.registry.entering import Entered, Entry, appoint_people, enter_people
from app.registry.models import Agency
from pki import csr
from pki.bulk import BulkPreparer
from pki.csr import CertificateRequest
from pki.errors import CsrRejected, LintFailure, ProfileViolation
from pki.names import PersonName
from pki.profiles import Profile, ProfileName

# Codes of reasons, in words in app.campaigns.words.
BAD_KEY: Final = "bad_key"
KEY_USED: Final = "key_used"
HAS_CERTIFICATE: Final = "has_certificate"
NOT_CERTIFIABLE: Final = "not_certifiable"

_FileRow = SqlRow[*tuple[Any, ...]]
_COLUMNS: Final = (
    Row.number,
    Row.agency_id,
    Row.number_index,
    Row.surname,
    Row.given_name,
    Row.email,
    Row.title,
    Row.csr_der,
    Row.spki_der,
)


@dataclass(frozen=True)
class Prepared:
    """What a batch will sign, what it will not, and what finding that out took, in microseconds of this process."""

    intents: Intents
    passed_over: Sequence[Outcome]
    prove_us: int
    prepare_us: int


class _Proven(NamedTuple):
    row: _FileRow
    request: CertificateRequest


class Preparers:
    """What certificates of one profile under one authority share, kept from batch to batch in this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept: dict[tuple[Profile, str], BulkPreparer] = {}

    def of(self, profile: Profile, authority: Authority, *, now: datetime) -> BulkPreparer:
        """Return the preparer for certificates that begin now."""
        name = authority.name
        if (profile, name) not in self._kept:
            self._kept[profile, name] = BulkPreparer(
                profile,
                issuer_certificate_der=authority.certificate_der,
                issuer_profile=ProfileName(authority.profile),
                now=now,
                urls_of_shard=lambda shard: issuance.urls_of(self._settings, name, shard),
            )
        return self._kept[profile, name].at(now)


def prepare_batch(session: Session, preparers: Preparers, batch: Batch, *, now: datetime) -> Prepared:
    """Return the intents of a planned batch. People who are not in the registry are entered, officials appointed."""
    campaign = session.get_one(Campaign, batch.campaign_id)
    profile = ProfileName(campaign.profile)
    query = select(*_COLUMNS).where(Row.campaign_id == campaign.id, Row.number == _any(batch.numbers, Integer))
    rows = session.execute(query.order_by(Row.number)).all()
    passed_over = _PassedOver(campaign.id, now)
    started = process_time()
    proven = list(_prove(rows, passed_over))
    proved = process_time()
    proven = _with_new_keys(session, proven, passed_over)
    people = _people(session, proven, profile)
    proven = _without_certificate(session, proven, people, profile, passed_over, now)
    authority = authorities.find(session, issuer_of(profile), now=now)
    preparing = process_time()
    each = _prepare(session, preparers, authority, profile, proven, people, passed_over, now)
    intents = Intents(authority.id, profile.value, profile_settings.in_force(session, profile).digest, tuple(each))
    done = process_time()
    return Prepared(intents, passed_over.outcomes, _micros(proved - started), _micros(done - preparing))


class _PassedOver:
    """Rows for which nothing will be signed."""

    def __init__(self, campaign_id: UUID, now: datetime) -> None:
        self._campaign_id, self._now = campaign_id, now
        self.outcomes: list[Outcome] = []

    def add(self, number: int, result: Result, reason: str, person_id: UUID | None = None) -> None:
        self.outcomes.append(
            Outcome(
                campaign_id=self._campaign_id,
                number=number,
                result=result,
                reason=reason,
                person_id=person_id,
                done_at=self._now,
            )
        )


def _prove(rows: Iterable[_FileRow], passed_over: _PassedOver) -> Iterable[_Proven]:
    for row in rows:
        try:
            request = csr.parse(row.csr_der) if row.csr_der is not None else csr.key_of_spki(row.spki_der or b"")
        except CsrRejected:
            passed_over.add(row.number, Result.FAILED, BAD_KEY)
            continue
        yield _Proven(row, request)


def _with_new_keys(session: Session, proven: Sequence[_Proven], passed_over: _PassedOver) -> list[_Proven]:
    """Leave out keys that were certified or blocked before, or that stand twice in the batch."""
    wanted = [one.request.spki_sha256 for one in proven]
    # The key of an abandoned intent is its person's still: the row comes back for another serial number.
    certified = select(Certificate.spki_sha256).where(
        Certificate.spki_sha256 == _any(wanted, Text), Certificate.state != CertificateState.ABANDONED
    )
    used = set(session.scalars(certified))
    used |= set(session.scalars(select(BlockedKey.spki_sha256).where(BlockedKey.spki_sha256 == _any(wanted, Text))))
    fresh = []
    for one in proven:
        if one.request.spki_sha256 in used:
            passed_over.add(one.row.number, Result.FAILED, KEY_USED)
        else:
            used.add(one.request.spki_sha256)
            fresh.append(one)
    return fresh


def _people(session: Session, proven: Sequence[_Proven], profile: ProfileName) -> Mapping[bytes, Entered]:
    entries = [Entry(one.row.number_index, one.row.surname, one.row.given_name, one.row.email) for one in proven]
    people = enter_people(session, entries)
    if profile is ProfileName.OFFICIAL_SIGNING:
        appoint_people(
            session,
            [(people[one.row.number_index].id, one.row.agency_id, one.row.title) for one in proven],
        )
    return people


def _without_certificate(
    session: Session,
    proven: Sequence[_Proven],
    people: Mapping[bytes, Entered],
    profile: ProfileName,
    passed_over: _PassedOver,
    now: datetime,
) -> list[_Proven]:
    query = select(Certificate.person_id).where(
        Certificate.person_id == _any((one.id.hex for one in people.values()), Uuid),
        Certificate.profile == profile,
        Certificate.state.in_((CertificateState.PREPARED, CertificateState.ISSUED, CertificateState.HELD)),
        Certificate.not_after > now,
    )
    have = set(session.scalars(query))
    without = []
    for one in proven:
        person_id = people[one.row.number_index].id
        if person_id in have:
            passed_over.add(one.row.number, Result.SKIPPED, HAS_CERTIFICATE, person_id)
        else:
            without.append(one)
    return without


def _prepare(
    session: Session,
    preparers: Preparers,
    authority: Authority,
    profile: ProfileName,
    proven: Sequence[_Proven],
    people: Mapping[bytes, Entered],
    passed_over: _PassedOver,
    now: datetime,
) -> Iterable[Intent]:
    in_force = profile_settings.in_force(session, profile)
    preparer = preparers.of(in_force, authority, now=now)
    agencies = _agencies(session, proven) if profile is ProfileName.OFFICIAL_SIGNING else {}
    octets = secrets.token_bytes(17 * len(proven))
    for at, (one, certificate_id) in enumerate(zip(proven, ordered_ids(len(proven)), strict=True)):
        # As pki.authority.new_serial_number: a prefix and seventeen random octets.
        serial = b"\x01" + octets[17 * at : 17 * (at + 1)]
        shard = int.from_bytes(serial, "big") % authority.shards
        person = people[one.row.number_index]
        try:
            made = preparer.prepare(
                _subject(person, one.row, agencies),
                one.request.spki_der,
                serial_number=int.from_bytes(serial, "big"),
                shard=shard,
                not_after_limit=not_after_limit(person.id, in_force, now=now),
            )
        except (ProfileViolation, LintFailure):
            passed_over.add(one.row.number, Result.FAILED, NOT_CERTIFIABLE, person.id)
            continue
        yield Intent(
            number=one.row.number,
            person_id=person.id,
            certificate_id=certificate_id,
            agency_id=one.row.agency_id,
            serial=serial,
            shard=shard,
            label=person.full_name,
            spki_sha256=bytes.fromhex(one.request.spki_sha256),
            not_before=made.not_before,
            not_after=made.not_after,
            tbs_der=made.tbs_der,
        )


def _agencies(session: Session, proven: Sequence[_Proven]) -> dict[UUID, Agency]:
    wanted = {one.row.agency_id for one in proven}
    return {agency.id: agency for agency in session.scalars(select(Agency).where(Agency.id.in_(wanted)))}


def _subject(person: Entered, row: _FileRow, agencies: Mapping[UUID, Agency]) -> PersonName:
    """Return the subject: the person as the registry names them, for officials with the post of the row."""
    names = (person.full_name, person.surname, person.given_name, person.identifier)
    agency = agencies.get(row.agency_id)
    if agency is None:
        return PersonName(*names)
    return PersonName(
        *names,
        organization=agency.name[:64].strip(),
        organization_identifier=f"XX:VN-{agency.code}",
        title=row.title[:64].strip(),
    )


def _any(values: Iterable[object], kind: type[TypeEngine[Any]]) -> ColumnElement[Any]:
    """Return `ANY` of values that hold no comma, sent as one text: an array of them costs four times as much here."""
    return any_(cast(func.string_to_array(",".join(map(str, values)), ","), ARRAY(kind)))


def _micros(seconds: float) -> int:
    return int(seconds * 1_000_000)
