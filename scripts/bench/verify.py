"""Checks of a small signed paper through the web: how long one takes, and whether many leave memory behind.

    .venv/bin/python -m scripts.bench.verify [--quick]

The paper is signed in the same city, with a timestamp; every answer must call it valid. Each check comes from another
address of loopback, since one may ask ten times a minute. In the same run and on the same file: our check alone, bare
pyHanko, and poppler's `pdfsig`, in time of the processor.
"""

from __future__ import annotations

import http.client
import itertools
import logging
import os
import re
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Final

from asn1crypto import crl as asn1_crl
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from sqlalchemy import select

from app.core import db
from app.core.storage import Storage
from app.documents.models import DocumentVersion
from app.verification import service
from app.verification.service import Evidence
from pki.chains import TrustStore
from pki.pades.page_check import with_pages_compared
from pki.pades.report import Verdict
from pki.pades.verify import verify
from pki.status_evidence import StatusEvidence
from scripts.bench.city import City, city, figure, is_quick, say
from scripts.bench.sign_web import official, running, sign, sit_down, small

_AT_ONCE: Final = 2
_TIMED: Final = 150
# Libraries fill their caches before memory is looked at.
_WARM: Final = 100
_ALONE: Final = 30
_MEGABYTE: Final = 1024 * 1024
# As the page says it in the language that it has by itself.
_VALID: Final = "Hợp lệ"
_BOUNDARY: Final = "kyvao-benchmark"


@dataclass(frozen=True)
class Form:
    """What a browser that opened the page sends with the paper."""

    cookie: str
    body: bytes


def main() -> None:
    checks = 500 if is_quick() else 10_000
    with city(environ={"KYVAO_SHARDS": "issuing_officials=4"}) as made, running(made) as port:
        paper = _signed(made, port)
        _alone(paper)
        form, addresses = _open(port, paper), _addresses()
        say(f"{checks} checks of {len(paper)} octets")
        with ThreadPoolExecutor(_AT_ONCE) as visitors:

            def many(count: int) -> list[float]:
                return list(
                    visitors.map(lambda address: check(port, form, address), itertools.islice(addresses, count))
                )

            many(_WARM)
            before = _memory()
            times = sorted(check(port, form, next(addresses)) for _ in range(_TIMED))
            half = (checks - _TIMED) // 2
            count = len(many(half))
            between = _memory()
            count += len(many(checks - _TIMED - half))
            after = _memory()
        figure("verify.p50_ms", 1000 * statistics.median(times), "ms")
        figure("verify.p95_ms", 1000 * times[int(len(times) * 0.95) - 1], "ms")
        figure("verify.checks", count + _TIMED, "checks")
        figure("verify.memory_growth_mb", (after - before) / _MEGABYTE, "MB")
        # What fills caches and loose heaps ends with the first half; what leaks goes on.
        figure("verify.memory_growth_second_half_mb", (after - between) / _MEGABYTE, "MB")


def check(port: int, form: Form, address: str) -> float:
    """Let the web check the paper; return the seconds it took. Raises SystemExit unless the paper is called valid."""
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(address, 0))
    headers = {"Cookie": form.cookie, "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    connection.request("POST", "/verify", form.body, headers)
    answer = connection.getresponse()
    page = answer.read().decode()
    connection.close()
    took = time.monotonic() - started
    title = re.search(r"kv-verdict__title[^>]*>\s*([^<]*?)\s*<", page)
    if answer.status != 200 or title is None or title[1] != _VALID:
        raise SystemExit(f"{answer.status}: the paper is called {title[1] if title else page[:300]!r}")
    return took


def _signed(made: City, port: int) -> bytes:
    """Return a letter that an official of the city signed through the web."""
    person = official(made, 0, [small()], pages=1)
    desk = sit_down(port, person)
    sign(desk, person, person.papers[0])
    desk.connection.close()
    with db.transaction() as session:
        sha256 = session.scalars(select(DocumentVersion.sha256).where(DocumentVersion.signatures == 1)).one()
    return Storage(made.settings.data_dir / "objects").get(sha256)


def _open(port: int, paper: bytes) -> Form:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/verify")
    answer = connection.getresponse()
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.read().decode())
    if found is None:
        raise SystemExit(f"{answer.status}: the page of the check holds no form")
    cookies = "; ".join(one.partition(";")[0] for one in answer.headers.get_all("Set-Cookie", ()))
    connection.close()
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{found[1]}\r\n'
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="letter.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    )
    return Form(cookies, head.encode() + paper + f"\r\n--{_BOUNDARY}--\r\n".encode())


def _addresses() -> Iterator[str]:
    """Return addresses of loopback, none twice in ten thousand."""
    return (f"127.{third}.{second}.{last}" for third in range(1, 9) for second in range(200) for last in range(2, 250))


def _memory() -> int:
    """Return the octets in memory of all that was started here: web, status, and the sandbox that stands by."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        words = rest.split()
        if name == "postgres":
            # Touches its shared memory bit by bit, and keeps one row for each address that asks.
            continue
        # Parent and resident pages (proc(5)).
        parents[int(path.parent.name)] = int(words[1]), int(words[21])
    found, waiting = 0, [os.getpid()]
    while waiting:
        below = [one for one, (parent, _) in parents.items() if parent in waiting]
        found += sum(parents[one][1] for one in below)
        waiting = below
    return found * resource.getpagesize()


def _alone(paper: bytes) -> None:
    """Measure our check in this process, and two others, on the same paper."""
    now = datetime.now(UTC)
    with db.transaction() as session:
        known = service.evidence(session, paper)

    def ours() -> bool:
        trust, evidence = TrustStore(known.roots, known.intermediates), StatusEvidence(known.crls)
        return (
            with_pages_compared(verify(paper, trust=trust, evidence=evidence, now=now), paper).verdict is Verdict.VALID
        )

    figure("verify.alone_ms", 1000 * _cost(ours), "ms")
    figure("verify.peer_pyhanko_ms", 1000 * _cost(lambda: _by_pyhanko(paper, known, now)), "ms")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "letter.pdf"
        path.write_bytes(paper)
        figure("verify.peer_pdfsig_ms", 1000 * _cost(lambda: _by_pdfsig(path)), "ms")


def _cost(judge: Callable[[], bool]) -> float:
    """Return the processor's seconds for one judgement, children included. Raises SystemExit if it is not valid."""
    costs = []
    for _ in range(_ALONE):
        before = os.times()
        if not judge():
            raise SystemExit("the signed letter is not accepted")
        costs.append(sum(os.times()[:4]) - sum(before[:4]))
    return statistics.fmean(costs)


def _by_pyhanko(paper: bytes, known: Evidence, now: datetime) -> bool:
    logging.getLogger("pyhanko").setLevel(logging.ERROR)
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(one) for one in known.roots],
        other_certs=[x509.Certificate.load(one) for one in known.intermediates],
        crls=[asn1_crl.CertificateList.load(one) for one in known.crls],
        moment=now,
        allow_fetching=False,
    )
    (signature,) = PdfFileReader(BytesIO(paper)).embedded_regular_signatures
    return bool(validate_pdf_signature(signature, context).bottom_line)


def _by_pdfsig(path: Path) -> bool:
    words = ["pdfsig", "-nocert", str(path)]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stdout  # noqa: S603  a fixed command
    return "Signature is Valid" in said


if __name__ == "__main__":
    main()
