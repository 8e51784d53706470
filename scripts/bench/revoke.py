"""How long a revocation takes to be seen: by OCSP, and in the published list; while OCSP is asked as fast as it goes.

.venv/bin/python -m scripts.bench.revoke [--quick]
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
from cryptography import x509
from cryptography.x509 import ocsp
from sqlalchemy import select

from app.certificates import revocations
from app.certificates.models import Authority, Certificate
from app.core import db
from app.core.permissions import house
from app.status.look import ocsp_request
from pki.revocation import RevocationReason
from scripts.bench.city import figure, is_quick, say
from scripts.bench.ocsp import SLUG, Asked, dsn, filled, status
from scripts.bench.serving import child, wrk

_PATIENCE: Final = 60.0
_IN_FORCE: Final = (
    "SELECT serial FROM certificate WHERE authority_id = (SELECT id FROM authority WHERE name = %s)"
    " AND state = 'issued' LIMIT %s"
)


def main() -> None:
    quick = is_quick()
    revoked = 40 if quick else 300
    with filled(100_000 if quick else 1_000_000) as (made, asked):
        # The rows of revocations that came with the register are not entries that could be published.
        with psycopg.connect(dsn(made.settings), autocommit=True) as connection:
            # A revocation is final: only emptying the whole table takes it back; nobody asks about those.
            connection.execute("TRUNCATE revocation")
            connection.execute("DELETE FROM status_change")
            found = connection.execute(_IN_FORCE, (SLUG, revoked)).fetchall()
        chosen = [serial for (serial,) in found]
        with child(made.settings, "worker"), status(made.settings) as url, loaded(url, asked):
            seen = _measure(url, asked, chosen, pause=0.1)
    by_ocsp, by_list = ([pair[part] for pair in seen] for part in (0, 1))
    for name, values in (("ocsp", by_ocsp), ("crl", by_list)):
        figure(f"revoke.{name}_p50_s", statistics.median(values), "s")
        figure(f"revoke.{name}_p99_s", sorted(values)[int(len(values) * 0.99) - 1], "s")
        figure(f"revoke.{name}_max_s", max(values), "s")


@contextmanager
def loaded(url: str, asked: Asked) -> Iterator[None]:
    """Keep asking from sixteen connections until the block ends."""
    ending = threading.Event()

    def ask() -> None:
        with tempfile.TemporaryDirectory() as folder:
            while not ending.is_set():
                load = wrk(f"{url}/ocsp", Path(folder), asked.requests(20_000), seconds=3)
                say(f"load: {load.rate:.0f} answers/s, p99 {load.p99_ms} ms")

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def _measure(url: str, asked: Asked, serials: list[bytes], *, pause: float) -> list[tuple[float, float]]:
    """Revoke one after the other, and watch each from its commit on; (seconds to OCSP, seconds to the list)."""
    with ThreadPoolExecutor(64) as pool:
        watching = []
        for serial in serials:
            shard = _revoke(serial)
            watching.append(pool.submit(_watch, url, asked.prefix, serial, shard, time.monotonic()))
            time.sleep(pause)
        return [one.result() for one in watching]


def _revoke(serial: bytes) -> int:
    with db.transaction() as session:
        authority = session.scalars(select(Authority.id).where(Authority.name == SLUG)).one()
        identifier, shard = session.execute(
            select(Certificate.id, Certificate.shard).where(
                Certificate.authority_id == authority, Certificate.serial == serial
            )
        ).one()
        now = datetime.now(UTC)
        revocations.revoke(session, house("bench"), identifier, reason=RevocationReason.SUPERSEDED, now=now)
    return int(shard)


def _watch(url: str, prefix: bytes, serial: bytes, shard: int, committed: float) -> tuple[float, float]:
    request, number = ocsp_request(prefix, serial, None), int.from_bytes(serial, "big")

    def is_revoked() -> bool:
        answer = ocsp.load_der_ocsp_response(_fetch(f"{url}/ocsp", request))
        return answer.certificate_status is ocsp.OCSPCertStatus.REVOKED

    def is_listed() -> bool:
        found = x509.load_der_x509_crl(_fetch(f"{url}/crl/{SLUG}/{shard}.crl"))
        return found.get_revoked_certificate_by_serial_number(number) is not None

    return _seconds(is_revoked, committed, 0.005), _seconds(is_listed, committed, 0.1)


def _seconds(holds: Callable[[], bool], since: float, pause: float) -> float:
    while not holds():
        if time.monotonic() > since + _PATIENCE:
            raise SystemExit("a revocation was not seen")
        time.sleep(pause)
    return time.monotonic() - since


def _fetch(url: str, body: bytes | None = None) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=30) as answer:  # noqa: S310  loopback
        content: bytes = answer.read()
        return content


if __name__ == "__main__":
    main()
