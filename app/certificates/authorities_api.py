"""Operations of the API on the authorities and the lists that they publish. Both are public; nothing changes here."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from cryptography import x509
from flask_babel import lazy_gettext as _l
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from app.certificates import authorities, issuance
from app.certificates.models import Authority, Crl
from app.core.errors import NotFound
from app.core.permissions import Permission
from app.core.running import settings
from app.interface.operations import Call, Operations
from app.interface.schemas import Strict

operations = Operations("authorities")


class AuthorityFacts(Strict):
    id: UUID
    name: Annotated[str, Field(description="As it stands in addresses.")]
    profile: str
    generation: int
    subject: Annotated[str, Field(description="RFC 4514.")]
    serial_hex: str
    sha256: str
    not_before: datetime
    not_after: datetime
    issues_until: Annotated[datetime | None, Field(description="Null for one that issues nothing any more.")]
    retired_at: datetime | None
    revoked_at: datetime | None
    shards: int
    certificate_url: str

    @classmethod
    def of(cls, one: Authority) -> Self:
        certificate = x509.load_der_x509_certificate(one.certificate_der)
        ended = one.retired_at is not None or one.revoked_at is not None
        return cls(
            id=one.id,
            name=one.name,
            profile=one.profile,
            generation=one.generation,
            subject=certificate.subject.rfc4514_string(),
            serial_hex=f"{certificate.serial_number:x}",
            sha256=hashlib.sha256(one.certificate_der).hexdigest(),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            issues_until=None if ended else authorities.issues_until(one),
            retired_at=one.retired_at,
            revoked_at=one.revoked_at,
            shards=one.shards,
            certificate_url=issuance.urls_of(settings(), one.name, 0).ca_issuers or "",
        )


class AuthorityList(Strict):
    authorities: list[AuthorityFacts]


class ListFacts(Strict):
    shard: int
    number: int
    this_update: datetime
    next_update: datetime
    url: str


class ListsOfAuthority(Strict):
    lists: list[ListFacts]


@operations.add(
    "GET", "/authorities", Permission.FIND_CERTIFICATES, "List the authorities of the city", answer=AuthorityList
)
def list_authorities(call: Call) -> AuthorityList:
    found = authorities.all_authorities(call.session)
    return AuthorityList(authorities=[AuthorityFacts.of(one) for one in found])


@operations.add(
    "GET",
    "/authorities/<uuid:authority_id>/lists",
    Permission.FIND_CERTIFICATES,
    "List the newest revocation list of each shard",
    answer=ListsOfAuthority,
)
def list_lists(call: Call, authority_id: UUID) -> ListsOfAuthority:
    authority = call.session.get(Authority, authority_id)
    if authority is None:
        raise NotFound(_l("There is no such authority."))
    query = (
        select(Crl.shard, Crl.number, Crl.this_update, Crl.next_update)
        .where(Crl.authority_id == authority_id, Crl.shard >= 0)
        .ext(distinct_on(Crl.shard))
        .order_by(Crl.shard, Crl.number.desc())
    )
    return ListsOfAuthority(
        lists=[
            ListFacts(
                shard=shard,
                number=number,
                this_update=this_update,
                next_update=next_update,
                url=issuance.crl_address(settings(), authority.name, shard),
            )
            for shard, number, this_update, next_update in call.session.execute(query)
        ]
    )
