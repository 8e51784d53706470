"""A campaign of made-up citizens with keys of their own, put into the tables as the check of a file leaves them."""

from __future__ import annotations

import multiprocessing
import secrets
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.campaigns.models import Campaign, CampaignState, Mode, RowState, Wave, WaveState
from app.core import db
from app.core.copying import copy_rows
from app.demo.names import names
from pki.profiles import ProfileName
from scripts.bench.city import City

_CHUNK = 1_000


def add_campaign(city: City, rows: int, *, proven: bool = False) -> uuid.UUID:
    """Add a running campaign of `rows` citizens, spread over the wards, each with a request or a proven key."""
    campaign_id = uuid.uuid4()
    waves = [uuid.uuid4() for _ in city.wards]
    with db.transaction() as session:
        session.add(
            Campaign(
                id=campaign_id,
                title="Measurement",
                mode=Mode.ISSUE,
                profile=ProfileName.CITIZEN_SIGNING,
                state=CampaignState.RUNNING,
                created_at=datetime.now(UTC),
                file_name="measurement.csv",
                file_sha256="0" * 64,
                rows_accepted=rows,
            )
        )
        session.flush()
        for position, (wave, ward) in enumerate(zip(waves, city.wards, strict=True), 1):
            session.add(
                Wave(
                    id=wave, campaign_id=campaign_id, position=position, agency_id=ward.id, state=WaveState.RUNNING,
                )
            )  # fmt: skip
    with db.transaction() as session:
        copy_rows(
            session,
            "campaign_row (campaign_id, number, wave_id, agency_id, state, number_index, surname, given_name,"
            " csr_der, spki_der)",
            "uuid int4 uuid uuid text bytea text text bytea bytea",
            _rows(city, campaign_id, waves, rows, proven),
        )
    return campaign_id


def _rows(
    city: City, campaign_id: uuid.UUID, waves: list[uuid.UUID], rows: int, proven: bool
) -> Iterator[tuple[object, ...]]:
    people = names(rows, seed=3)
    for number, key in enumerate(_keys(rows, proven), 1):
        ward = number % len(waves)
        surname, _, given_name = next(people).rpartition(" ")
        yield (
            campaign_id, number, waves[ward], city.wards[ward].id, RowState.ACCEPTED.value,
            secrets.token_bytes(32), surname, given_name,
            None if proven else key, key if proven else None,
        )  # fmt: skip


def _keys(rows: int, proven: bool) -> Iterator[bytes]:
    make = _proven_keys if proven else requests
    chunks = [min(_CHUNK, rows - start) for start in range(0, rows, _CHUNK)]
    if len(chunks) == 1:
        yield from make(rows)
        return
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for made in pool.imap(make, chunks):
            yield from made


def requests(count: int) -> list[bytes]:
    """Return certification requests of fresh keys, in DER."""
    return [_request() for _ in range(count)]


def _request() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ky Vao")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name)
    return request.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(
        serialization.Encoding.DER
    )


def _proven_keys(count: int) -> list[bytes]:
    return [
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        for _ in range(count)
    ]
