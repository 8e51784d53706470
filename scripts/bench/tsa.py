"""How many timestamps the unit makes a second: in one process, and over HTTP from both cores.

.venv/bin/python -m scripts.bench.tsa [--quick]
"""

from __future__ import annotations

import secrets
import tempfile
import time
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path

from app.core import db
from app.status.material import read
from pki import der, oids
from pki.tsa import TsaUnit, parse_request, respond
from scripts.bench.city import city, figure, is_quick, say
from scripts.bench.ocsp import status
from scripts.bench.serving import wrk


def requests(number: int) -> list[bytes]:
    """Return requests as openssl makes them: SHA-256, a nonce of eight octets, certificates wanted."""
    return [_request(secrets.token_bytes(32)) for _ in range(number)]


def main() -> None:
    quick = is_quick()
    with city() as made, tempfile.TemporaryDirectory() as folder:
        with db.transaction() as session:
            service = read(session, made.settings, now=datetime.now(UTC)).timestamps
        if service is None:
            raise SystemExit("no timestamp unit")
        figure("tsa.rate", _rate(service.unit, 5_000 if quick else 30_000), "1/s")
        with status(made.settings) as url:
            load = wrk(f"{url}/tsa", Path(folder), requests(2_000), seconds=4 if quick else 15)
    figure("tsa.http_rate", load.rate, "1/s")
    figure("tsa.http_p99_ms", load.p99_ms, "ms")
    figure("tsa.errors", load.errors, "answers")


def _rate(unit: TsaUnit, number: int) -> float:
    """Return tokens a second of one core, by the time that the processor spent."""
    bodies, serials, now = requests(number), count(1 << 64), datetime.now(UTC)
    begun, began = time.process_time(), time.perf_counter()
    for body in bodies:
        respond(parse_request(body), unit=unit, serial_number=next(serials), now=now)
    say(f"{number} tokens in {time.perf_counter() - began:.1f} s of the clock on the wall")
    return number / (time.process_time() - begun)


def _request(data: bytes) -> bytes:
    imprint = der.sequence(der.sequence(der.oid(oids.SHA256), der.NULL), der.octet_string(sha256(data).digest()))
    nonce = der.encode(der.INTEGER, b"\x01" + secrets.token_bytes(7))
    return der.sequence(der.integer(1), imprint, nonce, der.TRUE)


if __name__ == "__main__":
    main()
