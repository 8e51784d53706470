"""How many OCSP answers `status` gives a second: stored, and signed for a nonce, beside nginx and `openssl ocsp`.

    .venv/bin/python -m scripts.bench.ocsp [--quick]

A million certificates in the register, serial numbers drawn at random, both servers and wrk on this machine.
"""

from __future__ import annotations

import random
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import make_url, select

from app.certificates import key_access
from app.certificates.models import Authority
from app.certificates.register import service_certificate
from app.core import db
from app.core.settings import Settings
from app.registry.models import Agency
from app.status.answer_file import AnswerFile, path_of
from app.status.look import ocsp_request
from app.status.material import answers_folder
from app.status.wire import prefix_of
from pki import der
from pki.keys import SoftwareKey
from pki.ocsp import HashName, issuer_id
from pki.profiles import ProfileName
from scripts.bench.city import City, city, figure, is_quick, say
from scripts.bench.register_rows import Rows, copy_certificates
from scripts.bench.serving import Load, child, free_port, listening, started, wrk

SLUG: Final = "issuing_citizens"
_PATIENCE: Final = 600.0


@dataclass(frozen=True)
class Asked:
    """Whom requests ask about: what their CertIDs begin with, and the serial numbers in the register."""

    prefix: bytes
    serials: Sequence[bytes]

    def requests(self, count: int, *, nonce: bool = False) -> list[bytes]:
        """Return requests for serial numbers at random."""
        chosen = random.choices(self.serials, k=count)  # noqa: S311  for a measurement
        return [ocsp_request(self.prefix, serial, _nonce() if nonce else None) for serial in chosen]


@contextmanager
def filled(count: int) -> Iterator[tuple[City, Asked]]:
    """Give a city with `count` certificates in the register."""
    with city() as made:
        with db.transaction() as session:
            of = {name: session.scalars(select(Authority).where(Authority.name == name)).one() for name in _BOTH}
            agencies = list(session.scalars(select(Agency.id)))
            prefix = prefix_of(issuer_id(of[SLUG].certificate_der, HashName.SHA1))
            rows = Rows(
                (of[SLUG].id, of[_BOTH[1]].id), (of[SLUG].shards, of[_BOTH[1]].shards), agencies, datetime.now(UTC)
            )
        say(f"{count} certificates")
        with psycopg.connect(dsn(made.settings)) as connection:
            copy_certificates(connection, rows, count)
        with psycopg.connect(dsn(made.settings), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE certificate")
            found = connection.execute("SELECT serial FROM certificate WHERE authority_id = %s", (of[SLUG].id,))
            yield made, Asked(prefix, [serial for (serial,) in found])


def dsn(settings: Settings) -> str:
    """Return the address of the database for psycopg."""
    return make_url(settings.database_url or "").set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def status(settings: Settings) -> Iterator[str]:
    """Give the address of a running `status` with its stored answers made."""
    port = free_port()
    begun = time.monotonic()
    with child(settings, "status_answers"):
        path, until = path_of(answers_folder(settings), SLUG), time.monotonic() + _PATIENCE
        while not path.exists():
            if time.monotonic() > until:
                raise SystemExit("no file of answers was made")
            time.sleep(0.1)
        say(f"{AnswerFile(path).header.count} answers in {time.monotonic() - begun:.1f} s")
        with child(settings, "status", port=port):
            listening(port)
            # The worker that starts last finds its step.
            time.sleep(4)
            yield f"http://127.0.0.1:{port}"


def main() -> None:
    quick = is_quick()
    seconds, prepared = (4, 20_000) if quick else (15, 200_000)
    with filled(100_000 if quick else 1_000_000) as (made, asked), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with status(made.settings) as url:
            stored = wrk(f"{url}/ocsp", folder, asked.requests(prepared), seconds=seconds)
            live = wrk(f"{url}/ocsp", folder, asked.requests(prepared, nonce=True), seconds=seconds)
        nginx = _nginx(folder, seconds)
        peer = _openssl(made.settings, folder, asked, seconds)
    figure("ocsp.stored_rate", stored.rate, "1/s")
    figure("ocsp.stored_p99_ms", stored.p99_ms, "ms")
    figure("ocsp.live_rate", live.rate, "1/s")
    figure("ocsp.live_p99_ms", live.p99_ms, "ms")
    figure("ocsp.errors", stored.errors + live.errors, "answers")
    figure("ocsp.nginx_static_rate", nginx.rate, "1/s")
    figure("ocsp.openssl_rate", peer.rate, "1/s")
    figure("ocsp.stored_to_nginx", stored.rate / nginx.rate, "ratio")
    if not peer.rate:
        raise SystemExit("openssl ocsp gave no answer")
    figure("ocsp.stored_to_openssl", stored.rate / peer.rate, "ratio")
    figure("ocsp.live_to_openssl", live.rate / peer.rate, "ratio")


_BOTH: Final = (SLUG, "issuing_officials")


def _nonce() -> bytes:
    return der.octet_string(secrets.token_bytes(32))


def _nginx(folder: Path, seconds: int) -> Load:
    """A static file as long as an answer, from two nginx workers."""
    program, port = shutil.which("nginx", path="/usr/sbin:/usr/bin"), free_port()
    if program is None:
        raise SystemExit("nginx is not installed: apt-get install nginx-light")
    (folder / "answer").write_bytes(bytes(1100))
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port))
    folder.chmod(0o755)
    with started([program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]):
        listening(port)
        return wrk(f"http://127.0.0.1:{port}/answer", folder, seconds=seconds)


_NGINX: Final = """
daemon off; worker_processes 2; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 512; }}
http {{
  access_log off; keepalive_requests 1000000; open_file_cache max=10; sendfile on;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


def _openssl(settings: Settings, folder: Path, asked: Asked, seconds: int) -> Load:
    """`openssl ocsp` with two processes, an index of a thousand certificates, and our responder's key."""
    serials, port = asked.serials[:1000], free_port()
    _write_responder(settings, folder)
    ends = "391231235959Z"
    lines = (f"V\t{ends}\t\t{serial.hex().upper()}\tunknown\t/CN=one" for serial in serials)
    (folder / "index.txt").write_text("\n".join(lines) + "\n")
    (folder / "index.txt.attr").write_text("unique_subject = no\n")
    words = [
        "openssl", "ocsp", "-index", f"{folder}/index.txt", "-port", str(port), "-rsigner", f"{folder}/r.pem",
        "-rkey", f"{folder}/r.key", "-CA", f"{folder}/ca.pem", "-ndays", "1", "-multi", "2",
    ]  # fmt: skip
    with started(words):
        # Not asked whether it listens: a connection that sends nothing stops it for good.
        time.sleep(2)
        few = Asked(asked.prefix, serials)
        return wrk(f"http://127.0.0.1:{port}/ocsp", folder, few.requests(1000), seconds=seconds)


def _write_responder(settings: Settings, folder: Path) -> None:
    with db.transaction() as session:
        authority = session.scalars(select(Authority).where(Authority.name == SLUG)).one()
        found = service_certificate(
            session, ProfileName.OCSP_RESPONDER, now=datetime.now(UTC), authority_id=authority.id
        )
    if found is None or found.der is None:
        raise SystemExit("no responder")
    key = key_access.load(settings, found.key_reference)
    if not isinstance(key, SoftwareKey):
        raise SystemExit("the responder's key is in a token")
    pem = key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "r.key").write_bytes(pem)
    for name, data in (("r.pem", found.der), ("ca.pem", authority.certificate_der)):
        (folder / name).write_bytes(x509.load_der_x509_certificate(data).public_bytes(Encoding.PEM))


if __name__ == "__main__":
    main()
