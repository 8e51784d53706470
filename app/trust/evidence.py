"""What outside authorities say about certificates: asked of listed hosts, kept until it ends, asked again before that.

Only certificates whose signatures lead to an imported root are asked about: a file from a stranger cannot make this
house send anything to anybody by bringing a certificate of its own. Nothing answered is nothing known: the check then
says "not enough evidence".
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.logs import log
from app.trust.fetcher import LARGEST_ANSWER, LONGEST, FetchFailed, Listed, Question, Resolver, fetch, listed, look_up
from app.trust.models import Failure, TrustAnchor, TrustEvidence, TrustHost
from pki.status_evidence import StatusEvidence, find_status
from pki.trust_list import UNREADABLE, is_authority, is_issued_by

# A good answer counts until its own end, but is asked for again after this long: a revocation shows within an hour.
FRESH: Final = timedelta(hours=1)
# A host that gave nothing is left alone for this long, so that a check need not wait for it each time.
LEFT_ALONE: Final = timedelta(minutes=10)
# All questions of one check together; what is not reached by then is not known.
_LONGEST: Final = 10.0
_MOST_QUESTIONS: Final = 20
_MOST_CERTIFICATES: Final = 50
_DEEPEST: Final = 6
_MOST_ADDRESSES: Final = 4


@dataclass(frozen=True)
class Step:
    """One certificate of a path below an imported root, and the certificate above it."""

    certificate: x509.Certificate
    issuer: x509.Certificate
    anchor_id: UUID


def hosts(session: Session) -> list[Listed]:
    """Return the hosts that may be asked now."""
    query = select(TrustHost).where(TrustHost.removed_at.is_(None))
    return [Listed(one.host, one.port, one.may_be_private) for one in session.scalars(query)]


def evidence_for(
    session: Session, certificates_der: Collection[bytes], *, now: datetime, resolve: Resolver = look_up
) -> StatusEvidence:
    """Return lists and answers about those of `certificates_der` that lead to an imported root, and those above them.

    Asks outside what is not known freshly, which may take ten seconds; keeps what was answered. Raises nothing for any
    certificate or answer.
    """
    asked = hosts(session)
    if not asked or not certificates_der:
        return StatusEvidence()
    asker = _Asker(session, asked, resolve, now)
    answers = [one for step in steps(session, certificates_der, now=now) for one in asker.answers(step)]
    asker.keep()
    return StatusEvidence(
        crls_der=tuple(dict.fromkeys(der for kind, der in answers if kind == "crl")),
        ocsps_der=tuple(dict.fromkeys(der for kind, der in answers if kind == "ocsp")),
    )


def steps(session: Session, certificates_der: Collection[bytes], *, now: datetime) -> list[Step]:
    """Return what has to be asked about: every certificate between one of these and an imported root, each once."""
    anchors: dict[x509.Certificate, UUID] = {}
    above: list[x509.Certificate] = []
    for anchor in session.scalars(select(TrustAnchor).where(TrustAnchor.removed_at.is_(None))):
        anchors[x509.load_der_x509_certificate(anchor.certificate_der)] = anchor.id
        above += _readable(anchor.below_der)
    given = list(_readable(list(dict.fromkeys(certificates_der))[:_MOST_CERTIFICATES]))
    issuers = [*anchors, *(one for one in dict.fromkeys([*above, *given]) if is_authority(one))]
    found: dict[x509.Certificate, Step] = {}
    for one in given:
        for step in _climb(one, anchors, issuers):
            found.setdefault(step.certificate, step)
    # Nobody lists an ended certificate any more (RFC 5280, 3.3).
    return [step for step in found.values() if step.certificate.not_valid_after_utc >= now]


def forget_old(session: Session, *, before: datetime) -> int:
    """Delete the answers and failures that nobody has asked about since, and return how many."""
    done = session.execute(
        delete(TrustEvidence).where(TrustEvidence.again_at < before).returning(TrustEvidence.question)
    )
    return len(done.all())


def forget_anchor(session: Session, anchor_id: UUID) -> None:
    """Delete what was fetched about certificates below a root."""
    session.execute(delete(TrustEvidence).where(TrustEvidence.anchor_id == anchor_id))


def count_of(session: Session, anchor_id: UUID) -> int:
    """Return how many lists and answers about certificates below a root are kept."""
    kept = select(func.count()).where(TrustEvidence.anchor_id == anchor_id, TrustEvidence.der.is_not(None))
    return session.execute(kept).scalar_one()


def newest(session: Session, *, most: int) -> Sequence[TrustEvidence]:
    """Return the last questions and how each ended, newest first."""
    return session.scalars(select(TrustEvidence).order_by(TrustEvidence.asked_at.desc()).limit(most)).all()


@dataclass(frozen=True)
class _Kept:
    """The last answer to a question, as it stands in the table or will stand there."""

    anchor_id: UUID
    kind: str
    url: str
    der: bytes | None
    next_update: datetime | None
    failure: Failure | None
    asked_at: datetime
    again_at: datetime

    def counting(self, now: datetime) -> bytes | None:
        """Return the answer as long as it counts."""
        return self.der if self.next_update is not None and self.next_update >= now else None


class _Asker:
    """One check's questions: what is kept is used, the rest asked as long as time and count last."""

    def __init__(self, session: Session, asked: Sequence[Listed], resolve: Resolver, now: datetime) -> None:
        self._session = session
        self._hosts = asked
        self._resolve = resolve
        self._now = now
        self._ends_at = time.monotonic() + _LONGEST
        self._left = _MOST_QUESTIONS
        self._new: dict[bytes, _Kept] = {}

    def answers(self, step: Step) -> Iterator[tuple[str, bytes]]:
        """Yield the first answer that says something about the certificate of `step`."""
        for kind, question in questions(step):
            entry = listed(question.url, self._hosts)
            der = self._known_or_asked(step, kind, question, entry) if entry is not None else None
            if der is not None and _says_something(step, kind, der, self._now):
                yield kind, der
                return

    def keep(self) -> None:
        """Write down what was answered; at the end and in one order, so that checks do not wait for each other."""
        for key, one in sorted(self._new.items()):
            row = asdict(one)
            statement = insert(TrustEvidence).values(question=key, **row)
            self._session.execute(
                statement.on_conflict_do_update(index_elements=[TrustEvidence.question], set_=dict(row))
            )

    def _known_or_asked(self, step: Step, kind: str, question: Question, entry: Listed) -> bytes | None:
        key = _key(step, question)
        kept = self._new.get(key) or self._kept(key)
        known = kept.counting(self._now) if kept else None
        if kept is not None and kept.again_at > self._now:
            return known
        seconds = self._ends_at - time.monotonic()
        if self._left <= 0 or seconds <= 0:
            return known
        self._left -= 1
        answer = self._ask(step, kind, question, entry, min(seconds, LONGEST))
        if isinstance(answer, Failure):
            log.info("outside_status_not_answered", kind=kind, failure=answer)
            until, again, failure = kept.next_update if kept and known else None, self._now + LEFT_ALONE, answer
        else:
            known, failure = answer, None
            until = _next_update(kind, answer) or self._now
            again = min(self._now + FRESH, until)
        self._new[key] = _Kept(step.anchor_id, kind, question.url, known, until, failure, self._now, again)
        return known

    def _ask(self, step: Step, kind: str, question: Question, entry: Listed, seconds: float) -> bytes | Failure:
        try:
            der = fetch(question, entry, resolve=self._resolve, longest=seconds)
        except FetchFailed as error:
            return error.failure
        return der if _says_something(step, kind, der, self._now) else Failure.WORTHLESS

    def _kept(self, key: bytes) -> _Kept | None:
        columns = [getattr(TrustEvidence, one.name) for one in fields(_Kept)]
        row = self._session.execute(select(*columns).where(TrustEvidence.question == key)).one_or_none()
        return _Kept(*row) if row is not None else None


def questions(step: Step) -> Iterator[tuple[str, Question]]:
    """Yield what can be asked about a certificate: OCSP first, which is small and exact, then the lists it names."""
    request = ocsp.OCSPRequestBuilder()
    # SHA-1 names the issuer here and protects nothing; it is what every responder understands (RFC 5019, 2.1.1).
    request = request.add_certificate(step.certificate, step.issuer, hashes.SHA1())  # noqa: S303
    body = request.build().public_bytes(Encoding.DER)
    for url in _responders(step.certificate)[:_MOST_ADDRESSES]:
        yield "ocsp", Question(url, LARGEST_ANSWER, body, "application/ocsp-request")
    for url in _lists(step.certificate)[:_MOST_ADDRESSES]:
        yield "crl", Question(url)


def host_of(url: str) -> str:
    """Return the host of a kept question, for pages."""
    return urlsplit(url).netloc


def _climb(
    certificate: x509.Certificate, anchors: Mapping[x509.Certificate, UUID], issuers: Sequence[x509.Certificate]
) -> list[Step]:
    """Return the steps from a certificate up to an anchor; none if it leads to none."""
    path: list[tuple[x509.Certificate, x509.Certificate]] = []
    current = certificate
    while current not in anchors and len(path) < _DEEPEST:
        issuer = next((one for one in issuers if one != current and is_issued_by(current, one)), None)
        if issuer is None:
            return []
        path.append((current, issuer))
        current = issuer
    return [Step(one, issuer, anchors[current]) for one, issuer in path] if current in anchors else []


def _readable(ders: Collection[bytes]) -> Iterator[x509.Certificate]:
    for der in ders:
        try:
            yield x509.load_der_x509_certificate(der)
        except UNREADABLE:
            continue


def _says_something(step: Step, kind: str, der: bytes, now: datetime) -> bool:
    found = StatusEvidence((der,)) if kind == "crl" else StatusEvidence((), (der,))
    return find_status(step.certificate, step.issuer, found, at=now) is not None


def _next_update(kind: str, der: bytes) -> datetime | None:
    """Return until when an answer says that it counts; None if it does not say."""
    if kind == "crl":
        return x509.load_der_x509_crl(der).next_update_utc
    ends = [one.next_update_utc for one in ocsp.load_der_ocsp_response(der).responses if one.next_update_utc]
    return min(ends, default=None)


def _responders(certificate: x509.Certificate) -> list[str]:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return []
    named = [one.access_location for one in access if one.access_method == AuthorityInformationAccessOID.OCSP]
    return [one.value for one in named if isinstance(one, x509.UniformResourceIdentifier)]


def _lists(certificate: x509.Certificate) -> list[str]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return []
    # One that is signed by another, or holds some reasons only, is not understood by the check either.
    named = [name for one in points if not one.crl_issuer and not one.reasons for name in one.full_name or ()]
    return [one.value for one in named if isinstance(one, x509.UniformResourceIdentifier)]


def _key(step: Step, question: Question) -> bytes:
    """Return what an answer is kept under. With the issuer: no authority spoils what another one's address answers."""
    issuer = step.issuer.public_bytes(Encoding.DER)
    return hashlib.sha256(b"\0".join((question.url.encode(), question.body or b"", issuer))).digest()
