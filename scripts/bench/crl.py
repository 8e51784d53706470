"""Revocation lists: every shard of a city with half a million revoked, one dirty shard, and how the cost grows.

    .venv/bin/python -m scripts.bench.crl [--quick]

The lists are made by a process of its own through the job that `worker` runs: leased, numbered, read from the database,
signed, compared with the last, stored. The first round has no lists to compare with, the second has.
"""

from __future__ import annotations

import json
import os
import resource
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, text

from app.certificates import key_access, tasks
from app.certificates.crl_making import LIFETIME
from app.certificates.models import Authority
from app.core import db
from app.core.copying import copy_rows
from app.core.settings import Settings, load
from pki.authority import Issuer
from pki.crl import build_crl
from pki.profiles import ProfileName
from pki.revocation import RevocationReason, RevokedEntry, encode_entry
from scripts.bench.city import city, figure, is_quick, say

_DIRTY_ROUNDS: Final = 20
_CERTIFICATES: Final = (
    (
        "certificate (id, authority_id, serial, shard, state, profile, profile_digest, label, search_name, not_before,"
        " not_after, spki_sha256, created_at)"
    ),
    "uuid uuid bytea int4 text text text text text timestamptz timestamptz text timestamptz",
)
_REVOCATIONS: Final = (
    "revocation (certificate_id, authority_id, serial, shard, not_after, reason, revoked_at, entry_der)",
    "uuid uuid bytea int4 timestamptz int4 timestamptz bytea",
)


def add_revoked(authority: Authority, count: int) -> None:
    """Add revoked certificates of the authority, spread over its shards as chance has it."""
    now = datetime.now(UTC).replace(microsecond=0)
    for begin in range(0, count, 50_000):
        rows = list(_revoked(authority, min(50_000, count - begin), now))
        with db.transaction() as session:
            # Counters, feeds and marks are other measurements' business.
            session.execute(text("SET LOCAL session_replication_role = replica"))
            copy_rows(session, *_CERTIFICATES, (row[0] for row in rows))
            copy_rows(session, *_REVOCATIONS, (row[1] for row in rows))
    with db.transaction() as session:
        session.execute(text("ANALYZE revocation"))


def _revoked(authority: Authority, count: int, now: datetime) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    for _ in range(count):
        identifier, serial = uuid4(), b"\x01" + secrets.token_bytes(17)
        number = int.from_bytes(serial, "big")
        shard, not_after = number % authority.shards, now + timedelta(days=60)
        at = now - timedelta(seconds=secrets.randbelow(86_400))
        reason = RevocationReason.SUPERSEDED
        entry = encode_entry(RevokedEntry(number, at, reason))
        place = (identifier, authority.id, serial, shard)
        profile = (ProfileName.CITIZEN_SIGNING, "", "", "")
        yield (
            (*place, "revoked", *profile, now, not_after, secrets.token_hex(32), now),
            (*place, not_after, int(reason), at, entry),
        )


def publish_all(authority: Authority) -> dict[str, float]:
    """Make every shard of the authority due, publish, and return what the process that published says."""
    with db.transaction() as session:
        session.execute(
            text("UPDATE crl_shard SET next_at = 'infinity' WHERE authority_id <> :id"), {"id": authority.id}
        )
        session.execute(text("UPDATE crl_shard SET next_at = now() WHERE authority_id = :id"), {"id": authority.id})
    words = [sys.executable, "-m", "scripts.bench.crl", "--publish"]
    done = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603  our own
    said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    with db.transaction() as session:
        query = text("SELECT count(*) FROM crl_shard WHERE authority_id = :id AND next_at > now()")
        if session.scalar(query, {"id": authority.id}) != authority.shards:
            raise SystemExit("not every list was published")
    return said


def publish_here() -> None:
    """Publish what is due in this process; say how long it took and how much memory there was at the most."""
    settings = load(os.environ)
    db.configure(settings.database_url or "")
    with db.transaction() as session:
        session.execute(text("SELECT 1"))
    started, worked = time.perf_counter(), time.process_time()
    tasks.publish_due.func()
    seconds, cpu = time.perf_counter() - started, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak}))


def dirty_shard(authority: Authority) -> float:
    """Return the median of the milliseconds from the end of a revocation to the stored list."""
    spent = []
    for _ in range(_DIRTY_ROUNDS):
        now = datetime.now(UTC).replace(microsecond=0)
        ((certificate, revocation),) = _revoked(authority, 1, now)
        with db.transaction() as session:
            copy_rows(session, *_CERTIFICATES, [certificate])
            copy_rows(session, *_REVOCATIONS, [revocation])
        started = time.perf_counter()
        tasks.publish_due.func()
        spent.append(1000 * (time.perf_counter() - started))
    return statistics.median(spent)


def grow(settings: Settings, authority: Authority, sizes: dict[str, int]) -> None:
    """Build lists of growing size in memory: the cost of an entry must stay the same."""
    issuer = Issuer(authority.certificate_der, key_access.load(settings, authority.key_reference))
    now = datetime.now(UTC)
    template = encode_entry(RevokedEntry((1 << 136) + 1, now, RevocationReason.SUPERSEDED))
    at = template.index((1 << 136).to_bytes(18, "big")[:1] + bytes(16))
    for name, count in sizes.items():
        noise = secrets.token_bytes(17 * count)
        entries = b"".join(
            b"".join((template[: at + 1], noise[n : n + 17], template[at + 18 :])) for n in range(0, 17 * count, 17)
        )
        started = time.perf_counter()
        build_crl(
            (entries,), issuer=issuer, number=1, now=now, lifetime=LIFETIME, distribution_point="http://a.vn/1.crl"
        )
        figure(f"crl.linear_{name}_s", time.perf_counter() - started, "s")


def pyca_builder(count: int) -> float:
    """Return the milliseconds that the `cryptography` library's own builder takes for a list of that size."""
    now, key = datetime.now(UTC), ec.generate_private_key(ec.SECP384R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A")])
    started = time.perf_counter()
    builder = x509.CertificateRevocationListBuilder(issuer, now, now + timedelta(days=2))
    for _ in range(count):
        serial = int.from_bytes(secrets.token_bytes(17), "big") | 1 << 136
        entry = x509.RevokedCertificateBuilder(serial, now).add_extension(
            x509.CRLReason(x509.ReasonFlags.superseded), critical=False
        )
        builder = builder.add_revoked_certificate(entry.build())
    builder.sign(key, hashes.SHA384())
    return 1000 * (time.perf_counter() - started)


def main() -> None:
    revoked = 100_000 if is_quick() else 500_000
    sizes = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}
    with city(wards=1) as made:
        with db.transaction() as session:
            authority = session.scalars(select(Authority).where(Authority.profile == "issuing_citizens")).one()
        say(f"{revoked} revoked certificates over {authority.shards} shards")
        add_revoked(authority, revoked)
        first = publish_all(authority)
        rounds = [publish_all(authority) for _ in range(3)]
        figure("crl.all_shards_first_s", first["seconds"], "s")
        figure("crl.all_shards_s", statistics.median(one["seconds"] for one in rounds), "s")
        figure("crl.all_shards_cpu_s", statistics.median(one["cpu"] for one in rounds), "s")
        figure("crl.all_shards_peak_mb", max(one["peak_mb"] for one in (first, *rounds)), "MB")
        figure("crl.dirty_shard_ms", dirty_shard(authority), "ms")
        grow(made.settings, authority, sizes if is_quick() else sizes | {"5m": 5_000_000})
    figure("crl.pyca_builder_10k_ms", pyca_builder(10_000), "ms")


if __name__ == "__main__":
    if "--publish" in sys.argv:
        publish_here()
    else:
        main()
