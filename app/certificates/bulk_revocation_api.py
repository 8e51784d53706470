"""Operations of the API on many certificates at once: a dry run, asking the second person, looking at how far it is."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from app.approvals.models import Act, ActState
from app.certificates import bulk_revocation
from app.certificates.bulk_revocation import MOST, Wish
from app.certificates.life_models import BulkKind, BulkRevocation, BulkRow, BulkState, Finding
from app.core.permissions import Permission
from app.interface import cursors
from app.interface.operations import Call, Operations
from app.interface.schemas import After, Moment, Next, Strict
from pki.revocation import RevocationReason, RevokedBy, allowed_reasons

operations = Operations("bulk_revocations")

_ENDED = (ActState.REFUSED, ActState.WITHDRAWN, ActState.EXPIRED, ActState.FAILED)
_ROWS = 1_000
# Nobody is held for good: a suspension is a kind of its own.
Reason = StrEnum(  # type: ignore[misc]  # made from the reasons of the library
    "BulkReason",
    {
        one.name: one.name.lower()
        for one in allowed_reasons(RevokedBy.ADMINISTRATOR)
        if one is not RevocationReason.CERTIFICATE_HOLD
    },
)
Serial = Annotated[str, Field(pattern="^[0-9a-f]{2,40}$")]


class BulkFacts(Strict):
    id: UUID
    kind: BulkKind
    reason: str | None
    invalidity_date: datetime | None
    state: BulkState
    created_at: datetime
    digest_hex: Annotated[str, Field(description="SHA-256 over kind, reason, date and the exact set of certificates.")]
    rows: int
    ready: Annotated[int, Field(description="Rows that can be worked off; of the others `findings` says why not.")]
    findings: dict[Finding, int]
    changed: int
    skipped: Annotated[int, Field(description="Ready when the list was made, not any more when its turn came.")]
    act_id: UUID | None

    @classmethod
    def of(cls, call: Call, one: BulkRevocation) -> Self:
        act = call.session.get(Act, one.act_id) if one.act_id else None
        ended = one.state == BulkState.SUBMITTED and act is not None and act.state_at(call.now) in _ENDED
        return cls(
            id=one.id,
            kind=BulkKind(one.kind),
            reason=RevocationReason(one.reason).name.lower() if one.reason is not None else None,
            invalidity_date=one.invalidity_date,
            state=BulkState.CANCELLED if ended else BulkState(one.state),
            created_at=one.created_at,
            digest_hex=one.digest,
            rows=one.rows,
            ready=one.ready,
            findings=bulk_revocation.findings(call.session, one),
            changed=one.changed,
            skipped=one.skipped,
            act_id=one.act_id,
        )


class BulkPage(Strict):
    lists: list[BulkFacts]
    next: Next


class BulkQuery(Strict):
    after: After = None


class NewBulk(Strict):
    kind: BulkKind
    reason: Annotated[Reason | None, Field(description="For a revocation, and for nothing else.")] = None
    invalidity_date: Annotated[
        Moment | None, Field(description="For a revocation: since when the keys are thought to be lost.")
    ] = None
    serial_numbers: Annotated[list[Serial], Field(min_length=1, max_length=MOST, description="Lower-case hexadecimal.")]

    @model_validator(mode="after")
    def _reason_of_a_revocation(self) -> Self:
        if (self.reason is not None) != (self.kind is BulkKind.REVOKE):
            raise ValueError("a revocation has a reason, and nothing else has one")
        if self.invalidity_date is not None and self.kind is not BulkKind.REVOKE:
            raise ValueError("only a revocation has an invalidity date")
        return self


class RowFacts(Strict):
    number: int
    given: str
    finding: Finding
    certificate_id: UUID | None
    changed: Annotated[bool | None, Field(description="Null until the row was worked off.")]

    @classmethod
    def of(cls, one: BulkRow) -> Self:
        return cls(
            number=one.number,
            given=one.given,
            finding=Finding(one.finding),
            certificate_id=one.certificate_id,
            changed=one.changed,
        )


class RowPage(Strict):
    rows: list[RowFacts]
    next: Annotated[int | None, Field(description="Give it as `after_row` for the next page; null at the end.")]


class RowQuery(Strict):
    after_row: Annotated[int, Field(ge=0, le=MOST)] = 0


@operations.add(
    "POST",
    "/revocations/bulk",
    Permission.REVOKE_CERTIFICATES,
    "Make the dry run of a list: nothing is changed yet",
    body=NewBulk,
    answer=BulkFacts,
    status=HTTPStatus.CREATED,
    upload=True,
)
def draft_bulk(call: Call, body: NewBulk) -> BulkFacts:
    reason = RevocationReason[body.reason.name] if body.reason else None
    wish = Wish(body.kind, reason, body.invalidity_date)
    text = "\n".join(body.serial_numbers)
    return BulkFacts.of(call, bulk_revocation.draft_list(call.session, call.actor, text, wish, now=call.now))


@operations.add(
    "GET",
    "/revocations/bulk",
    Permission.REVOKE_CERTIFICATES,
    "List the lists of certificates to change, newest first",
    query=BulkQuery,
    answer=BulkPage,
)
def list_bulks(call: Call, query: BulkQuery) -> BulkPage:
    before = cursors.moment_and_identifier(query.after)
    found = bulk_revocation.newest(call.session, call.actor, before=before)
    more = cursors.written(found[-1].created_at, found[-1].id) if len(found) == bulk_revocation.PAGE else None
    return BulkPage(lists=[BulkFacts.of(call, one) for one in found], next=more)


@operations.add(
    "GET",
    "/revocations/bulk/<uuid:bulk_id>",
    Permission.REVOKE_CERTIFICATES,
    "Look at a list and how far it is",
    answer=BulkFacts,
)
def look_at_bulk(call: Call, bulk_id: UUID) -> BulkFacts:
    return BulkFacts.of(call, bulk_revocation.find(call.session, call.actor, bulk_id))


@operations.add(
    "GET",
    "/revocations/bulk/<uuid:bulk_id>/rows",
    Permission.REVOKE_CERTIFICATES,
    "Read what was found of each row, and what became of it",
    query=RowQuery,
    answer=RowPage,
)
def read_bulk_rows(call: Call, query: RowQuery, bulk_id: UUID) -> RowPage:
    bulk = bulk_revocation.find(call.session, call.actor, bulk_id)
    found = bulk_revocation.results(call.session, bulk, after=query.after_row, many=_ROWS)
    more = found[-1].number if len(found) == _ROWS else None
    return RowPage(rows=[RowFacts.of(one) for one in found], next=more)


@operations.add(
    "POST",
    "/revocations/bulk/<uuid:bulk_id>/submission",
    Permission.REVOKE_CERTIFICATES,
    "Ask a second person for exactly this list; it is worked off when they have approved it",
    answer=BulkFacts,
    status=HTTPStatus.ACCEPTED,
)
def submit_bulk(call: Call, bulk_id: UUID) -> BulkFacts:
    bulk_revocation.submit(call.session, call.actor, bulk_id, now=call.now)
    return look_at_bulk(call, bulk_id)
