"""Signatures through the web: real processes, two requests each, ten officials at once, and one large file.

    .venv/bin/python -m scripts.bench.sign_web [--quick]

The keys are here, as they would be in browsers; everything else is the house: sandbox, timestamp, storage, database
that fsyncs. The load is made on the same cores. Some of what was signed is given to `pdfsig`; one it refuses ends this.
"""

from __future__ import annotations

import base64
import http.client
import json
import random
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pikepdf
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from sqlalchemy import select

from app.accounts import service as accounts
from app.accounts.models import Account
from app.certificates import requests, tasks
from app.certificates.models import Certificate
from app.core import db
from app.core.permissions import Role, house
from app.core.settings import Settings
from app.core.storage import Storage
from app.documents import service as documents
from app.documents.intake import Accepted
from app.documents.models import DocumentVersion
from app.registry import service as registry
from pki.keys import Curve, SoftwareKey
from scripts.bench.city import City, city, figure, is_quick, say
from scripts.bench.serving import child, free_port, listening
from tests.factories.csrs import csr_der

AT_ONCE: Final = 10
# Somebody who signs more in a minute is asked to wait.
_PAPERS: Final = 10
_BIG_PAGES: Final = 200
_BIG_BYTES: Final = 20 * 1024 * 1024


@dataclass(frozen=True)
class Official:
    """Somebody at a desk: a session with the web, and the key in their browser."""

    cookie: str
    key: ec.EllipticCurvePrivateKey
    certificate_sha256: str
    # Documents of theirs that nobody has signed.
    papers: Sequence[str]


def main() -> None:
    signatures = 400 if is_quick() else 4_000
    with city(environ={"KYVAO_SHARDS": "issuing_officials=4"}) as made, running(made) as port:
        people = signatures // _PAPERS
        say(f"{people} officials, {signatures} documents")
        officials = _officials(made, people)
        with ThreadPoolExecutor(AT_ONCE) as desks:
            # Children are forked and connections are opened before the clock runs.
            big = official(made, people, [_large()] * 3, pages=_BIG_PAGES)
            large = min(_work(sit_down(port, big), big))
            seats = [sit_down(port, one) for one in officials]
            started = time.monotonic()
            times = [t for some in desks.map(_work, seats, officials) for t in some]
            took = time.monotonic() - started
        figure("sign_web.rate", len(times) / took, "signatures/s")
        figure("sign_web.p50_ms", 1000 * statistics.median(times), "ms")
        figure("sign_web.p95_ms", 1000 * sorted(times)[int(len(times) * 0.95) - 1], "ms")
        figure("sign_web.at_once", AT_ONCE, "signers")
        figure("sign_web.large_s", large, "s")
        figure("sign_web.judged", _judge(made.settings, 20), "files")


@dataclass(frozen=True)
class Desk:
    """An open connection, and what its requests carry: cookies and the token of a form."""

    connection: http.client.HTTPConnection
    cookie: str
    token: str


def sign(desk: Desk, official: Official, document: str) -> float:
    """Sign one document with two requests; return the seconds from the first to the last answer."""
    started = time.monotonic()
    wish = {
        "certificateSha256": official.certificate_sha256,
        "baseNumber": 1,
        "page": 1,
        "corner": "bottom_right",
        "xMm": 20,
        "yMm": 40,
        "reason": None,
    }
    prepared = _post(desk, f"/documents/{document}/signatures", wish)
    der = official.key.sign(base64.b64decode(prepared["signedAttributes"]), ec.ECDSA(hashes.SHA256()))
    raw = b"".join(part.to_bytes(32, "big") for part in decode_dss_signature(der))
    _post(desk, prepared["completeUrl"], {"signature": base64.b64encode(raw).decode()})
    return time.monotonic() - started


def _work(desk: Desk, official: Official) -> list[float]:
    try:
        return [sign(desk, official, paper) for paper in official.papers]
    finally:
        desk.connection.close()


def sit_down(port: int, official: Official) -> Desk:
    """Open a page as the official's browser did before they began."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"/documents/{official.papers[0]}/sign", headers={"Cookie": official.cookie})
    answer = connection.getresponse()
    page = answer.read().decode()
    cookies = [official.cookie, *(one.partition(";")[0] for one in answer.headers.get_all("Set-Cookie", ()))]
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    if found is None:
        raise SystemExit(f"{answer.status}: the page of a document holds no form")
    # Opened anew by the first request: the server does not wait long for somebody who sits and reads.
    connection.close()
    return Desk(connection, "; ".join(cookies), found[1])


def _post(desk: Desk, path: str, body: dict[str, object]) -> dict[str, Any]:
    headers = {
        "Cookie": desk.cookie,
        "Content-Type": "application/json",
        "Accept": "application/json",
        "X-CSRFToken": desk.token,
    }
    desk.connection.request("POST", path, json.dumps(body), headers)
    answer = desk.connection.getresponse()
    content = answer.read()
    if answer.status not in {200, 201}:
        raise SystemExit(f"{path}: {answer.status} {content[:300].decode(errors='replace')}")
    found: dict[str, Any] = json.loads(content)
    return found


@contextmanager
def running(made: City) -> Iterator[int]:
    """Give the port of `web`, with `status` beside it for the timestamps."""
    web_port, status_port = free_port(), free_port()
    settings = replace(
        made.settings,
        web_port=web_port,
        web_url=f"http://127.0.0.1:{web_port}",
        status_port=status_port,
        status_internal_url=f"http://127.0.0.1:{status_port}",
    )
    with child(settings, "status", port=status_port), child(settings, "web", port=web_port):
        listening(status_port)
        listening(web_port)
        yield web_port


def _officials(made: City, people: int) -> list[Official]:
    letter = small()
    return [official(made, number, [letter] * _PAPERS, pages=1) for number in range(people)]


def official(made: City, number: int, papers: Sequence[bytes], *, pages: int) -> Official:
    """Enter an official with a certificate and documents to sign, through the services of the house."""
    private = SoftwareKey.generate(Curve.P256)
    ward, maker, now = made.wards[number % len(made.wards)], house("benchmark"), datetime.now(UTC)
    with db.transaction() as session:
        person = registry.add_person(session, surname="Nguyễn Văn", given_name=f"An {number}", email=None, actor=maker)
        registry.appoint(session, person, ward, title="Chuyên viên", actor=maker)
        account = accounts.create_account(session, login=f"an{number}", label=f"An {number}", person_id=person.id)
        accounts.grant_role(session, account, Role.OFFICIAL, agency_id=ward.id, actor=maker)
        account_id = account.id
    with db.transaction() as session:
        account = session.get_one(Account, account_id)
        actor = accounts.actor_of(account)
        challenge = requests.new_challenge(session, actor, now=now)
        request_id = requests.submit(session, actor, csr_der(private, challenge), challenge, now=now).id
        requests.approve(session, maker, request_id, now=now)
        cookie = f"kyvao={accounts.open_session(session, account, now=now)}"
    tasks.issue.func(str(request_id))
    storage = Storage(made.settings.data_dir / "objects")
    with db.transaction() as session:
        ids = [
            str(
                documents.upload(
                    session, storage, Accepted(BytesIO(pdf), pages, 0), title=f"Công văn {index}", actor=actor, now=now
                ).id
            )
            for index, pdf in enumerate(papers, 1)
        ]
        query = select(Certificate.sha256).where(Certificate.person_id == actor.person_id)
        sha256 = session.scalars(query).one() or ""
    assert isinstance(private.private_key, ec.EllipticCurvePrivateKey)
    return Official(cookie, private.private_key, sha256, ids)


def small() -> bytes:
    """Return a letter of one page."""
    with pikepdf.new() as pdf:
        font = pdf.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        )
        page = pdf.add_blank_page(page_size=(595, 842))
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        page.Contents = pdf.make_stream(b"BT /F1 14 Tf 72 760 Td (Kinh gui: Uy ban nhan dan) Tj ET")
        buffer = BytesIO()
        pdf.save(buffer, min_version="1.7")
        return buffer.getvalue()


def _large() -> bytes:
    """Return a scan: so many pages of noise that the file has twenty megabytes."""
    source = random.Random(4)  # noqa: S311  content of a picture
    side = 324
    with pikepdf.new() as pdf:
        for _ in range(_BIG_PAGES):
            page = pdf.add_blank_page(page_size=(595, 842))
            picture = pdf.make_stream(source.randbytes(side * side))
            picture.update(
                pikepdf.Dictionary(
                    Type=pikepdf.Name.XObject,
                    Subtype=pikepdf.Name.Image,
                    Width=side,
                    Height=side,
                    ColorSpace=pikepdf.Name.DeviceGray,
                    BitsPerComponent=8,
                )
            )
            page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(P=picture))
            page.Contents = pdf.make_stream(b"q 595 0 0 842 0 0 cm /P Do Q")
        buffer = BytesIO()
        pdf.save(buffer, min_version="1.7")
    made = buffer.getvalue()
    assert len(made) >= _BIG_BYTES
    return made


def _judge(settings: Settings, count: int) -> int:
    """Give some signed files to `pdfsig`; return how many. Raises SystemExit for one that it does not accept."""
    storage = Storage(settings.data_dir / "objects")
    with db.transaction() as session:
        query = select(DocumentVersion.sha256).where(DocumentVersion.signatures == 1).limit(count)
        chosen = session.scalars(query).all()
    with tempfile.TemporaryDirectory() as folder:
        for sha256 in chosen:
            path = Path(folder) / "signed.pdf"
            path.write_bytes(storage.get(sha256))
            said = subprocess.run(  # noqa: S603  a fixed command
                ["pdfsig", "-nocert", str(path)],  # noqa: S607
                capture_output=True,
                text=True,
                check=False,
            ).stdout
            if "Signature is Valid" not in said or "Total document signed" not in said:
                raise SystemExit(f"pdfsig does not accept what was signed:\n{said}")
    return len(chosen)


if __name__ == "__main__":
    main()
