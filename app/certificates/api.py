"""Operations of the API on requests, certificates and revocations."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Self
from uuid import UUID

from flask import Response
from flask_babel import lazy_gettext as _l
from pydantic import Field

from app.certificates import register, register_search, requests, revocations, revocations_release
from app.certificates.models import Certificate, CertificateRequest, CertificateState
from app.certificates.register_filters import Filters, Sort, Status
from app.certificates.register_search import Line
from app.core.errors import Invalid
from app.core.permissions import Permission
from app.interface import cursors
from app.interface.operations import Call, Operations
from app.interface.schemas import After, Day, Flag, Moment, Next, Strict
from pki.profiles import ProfileName
from pki.revocation import RevocationReason, RevokedBy, allowed_reasons

operations = Operations("certificates")

# As RFC 5280, 5.3.1 spells them, in lower case; the ones that an administrator may give.
Reason = StrEnum(  # type: ignore[misc]  # made from the reasons of the library
    "Reason", {one.name: one.name.lower() for one in allowed_reasons(RevokedBy.ADMINISTRATOR)}
)


class CertificateLine(Strict):
    id: UUID
    serial_hex: str
    label: str
    profile: str
    state: str
    agency: str | None
    not_after: datetime

    @classmethod
    def of(cls, one: Line) -> Self:
        return cls(
            id=one.id,
            serial_hex=one.serial_hex,
            label=one.label,
            profile=one.profile,
            state=one.state,
            agency=one.agency,
            not_after=one.not_after,
        )


class CertificatePage(Strict):
    certificates: list[CertificateLine]
    next: Next


class CertificateFacts(Strict):
    id: UUID
    serial_hex: str
    label: str
    profile: str
    state: CertificateState
    authority: str
    not_before: datetime
    not_after: datetime
    sha256: str
    spki_sha256: str
    reason: str | None
    revoked_at: datetime | None
    invalidity_date: datetime | None

    @classmethod
    def of(cls, one: Certificate) -> Self:
        ended = one.revocation
        return cls(
            id=one.id,
            serial_hex=one.serial_hex,
            label=one.label,
            profile=one.profile,
            state=CertificateState(one.state),
            authority=one.authority.name,
            not_before=one.not_before,
            not_after=one.not_after,
            sha256=one.sha256 or "",
            spki_sha256=one.spki_sha256,
            reason=RevocationReason(ended.reason).name.lower() if ended else None,
            revoked_at=ended.revoked_at if ended else None,
            invalidity_date=ended.invalidity_date if ended else None,
        )


class CertificateQuery(Strict):
    q: Annotated[str, Field(max_length=100, description="A name, a serial number or its beginning.")] = ""
    agency: Annotated[str, Field(max_length=100, description="Name or code of an agency, with all below it.")] = ""
    state: Status | None = None
    profile: ProfileName | None = None
    authority: Annotated[str, Field(max_length=60)] = ""
    ends_from: Day | None = None
    ends_to: Day | None = None
    newest_first: Flag = False
    after: After = None


class Revocation(Strict):
    certificate_id: UUID
    reason: Reason
    invalidity_date: Annotated[
        Moment | None, Field(description="Since when the key is thought to be lost (RFC 5280, 5.3.2).")
    ] = None


class Released(Strict):
    """The act that another person has to approve."""

    act_id: UUID


class Challenge(Strict):
    challenge: Annotated[str, Field(description="Goes into the challengePassword of the next request, within minutes.")]


class NewRequest(Strict):
    csr_base64: Annotated[str, Field(max_length=22_000, description="PKCS#10 in DER, base64.")]
    challenge: Annotated[str, Field(max_length=100)]


class RequestFacts(Strict):
    id: UUID
    state: str
    profile: str
    spki_sha256: str
    requested_at: datetime
    decided_at: datetime | None
    note: str | None
    certificate_id: UUID | None

    @classmethod
    def of(cls, one: CertificateRequest) -> Self:
        return cls(
            id=one.id,
            state=one.state,
            profile=one.profile,
            spki_sha256=one.spki_sha256,
            requested_at=one.requested_at,
            decided_at=one.decided_at,
            note=one.note,
            certificate_id=one.certificate_id,
        )


class RequestPage(Strict):
    requests: list[RequestFacts]
    next: Next


class RequestQuery(Strict):
    after: After = None


class RequestRefusal(Strict):
    note: Annotated[str, Field(min_length=10, max_length=500, description="The person reads it.")]


@operations.add(
    "GET",
    "/certificates",
    Permission.FIND_CERTIFICATES,
    "Find certificates",
    query=CertificateQuery,
    answer=CertificatePage,
)
def find_certificates(call: Call, query: CertificateQuery) -> CertificatePage:
    filters = Filters(
        q=query.q.strip(),
        agency=query.agency.strip(),
        state=query.state,
        use=query.profile,
        authority=query.authority.strip(),
        ends_from=query.ends_from,
        ends_to=query.ends_to,
        sort=Sort.NEWEST if query.newest_first else Sort.NAME,
    )
    found = register_search.search(
        call.session, call.actor, filters, after=cursors.identifier(query.after), now=call.now
    )
    lines = [CertificateLine.of(one) for one in found.lines]
    return CertificatePage(certificates=lines, next=str(found.next_key) if found.next_key else None)


@operations.add(
    "GET",
    "/certificates/<uuid:certificate_id>",
    Permission.FIND_CERTIFICATES,
    "Look at a certificate",
    answer=CertificateFacts,
)
def look_at_certificate(call: Call, certificate_id: UUID) -> CertificateFacts:
    found = register.find_in_scope(call.session, call.actor, Permission.FIND_CERTIFICATES, certificate_id)
    return CertificateFacts.of(found)


@operations.add(
    "GET", "/certificates/<uuid:certificate_id>/der", Permission.FIND_CERTIFICATES, "Fetch a certificate in DER"
)
def fetch_certificate(call: Call, certificate_id: UUID) -> Response:
    found = register.find_in_scope(call.session, call.actor, Permission.FIND_CERTIFICATES, certificate_id)
    return Response(found.der, mimetype="application/pkix-cert")


@operations.add(
    "POST",
    "/revocations",
    Permission.REVOKE_CERTIFICATES,
    "Revoke a certificate for good, or suspend it (certificate_hold)",
    body=Revocation,
    answer=CertificateFacts,
    status=HTTPStatus.CREATED,
)
def revoke(call: Call, body: Revocation) -> CertificateFacts:
    made = revocations.revoke(
        call.session,
        call.actor,
        body.certificate_id,
        reason=RevocationReason[body.reason.name],
        invalidity_date=body.invalidity_date,
        now=call.now,
    )
    return CertificateFacts.of(made)


@operations.add(
    "POST",
    "/certificates/<uuid:certificate_id>/release",
    Permission.REVOKE_CERTIFICATES,
    "Ask to release a suspended certificate; another person approves it",
    answer=Released,
    status=HTTPStatus.ACCEPTED,
)
def ask_for_release(call: Call, certificate_id: UUID) -> Released:
    return Released(act_id=revocations_release.request(call.session, call.actor, certificate_id, now=call.now).id)


@operations.add(
    "GET",
    "/requests",
    Permission.APPROVE_CERTIFICATES,
    "List the requests that wait for a decision, oldest first",
    query=RequestQuery,
    answer=RequestPage,
)
def list_requests(call: Call, query: RequestQuery) -> RequestPage:
    after = cursors.moment_and_identifier(query.after)
    found = [one for one, _person in requests.pending(call.session, call.actor, after=after, many=requests.PAGE)]
    more = cursors.written(found[-1].requested_at, found[-1].id) if len(found) == requests.PAGE else None
    return RequestPage(requests=[RequestFacts.of(one) for one in found], next=more)


@operations.add(
    "GET",
    "/requests/<uuid:request_id>",
    Permission.APPROVE_CERTIFICATES,
    "Look at a request",
    answer=RequestFacts,
)
def look_at_request(call: Call, request_id: UUID) -> RequestFacts:
    found, _person = requests.find_for_decision(call.session, call.actor, request_id)
    return RequestFacts.of(found)


@operations.add(
    "POST",
    "/requests/<uuid:request_id>/approval",
    Permission.APPROVE_CERTIFICATES,
    "Approve a request; the certificate is issued within seconds",
    answer=RequestFacts,
)
def approve_request(call: Call, request_id: UUID) -> RequestFacts:
    return RequestFacts.of(requests.approve(call.session, call.actor, request_id, now=call.now))


@operations.add(
    "POST",
    "/requests/<uuid:request_id>/refusal",
    Permission.APPROVE_CERTIFICATES,
    "Refuse a request",
    body=RequestRefusal,
    answer=RequestFacts,
)
def refuse_request(call: Call, body: RequestRefusal, request_id: UUID) -> RequestFacts:
    return RequestFacts.of(requests.refuse(call.session, call.actor, request_id, note=body.note, now=call.now))


@operations.add(
    "POST",
    "/challenges",
    Permission.HOLD_CERTIFICATE,
    "Get a challenge for a request of one's own",
    answer=Challenge,
    status=HTTPStatus.CREATED,
)
def new_challenge(call: Call) -> Challenge:
    return Challenge(challenge=requests.new_challenge(call.session, call.actor, now=call.now))


@operations.add(
    "POST",
    "/requests",
    Permission.HOLD_CERTIFICATE,
    "Ask for a certificate of one's own",
    body=NewRequest,
    answer=RequestFacts,
    status=HTTPStatus.CREATED,
)
def ask(call: Call, body: NewRequest) -> RequestFacts:
    try:
        csr_der = base64.b64decode(body.csr_base64, validate=True)
    except (ValueError, binascii.Error) as error:
        raise Invalid(_l("The request for a certificate is not base64.")) from error
    return RequestFacts.of(requests.submit(call.session, call.actor, csr_der, body.challenge, now=call.now))
