"""An authority that is not ours, made and run with OpenSSL, and a server on the loopback that hands out its lists."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.timestamps import DummyTimeStamper

from app.approvals import service as approvals
from app.approvals.models import Act
from app.core import db
from app.trust import acts
from app.trust.models import Kind, TrustAnchor, TrustHost
from tests.factories.certificates import actor
from tests.factories.documents import plain_pdf

Answer = bytes | tuple[int, Mapping[str, str], bytes] | Callable[[bytes], bytes]

_CONFIGURATION: Final = """
[ca]
default_ca = here
[here]
dir = {folder}
database = $dir/index.txt
serial = $dir/serial
crlnumber = $dir/crlnumber
new_certs_dir = $dir
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_md = sha256
policy = any
unique_subject = no
crl_extensions = list
copy_extensions = none
utf8 = yes
string_mask = utf8only
[any]
commonName = supplied
organizationName = optional
[list]
authorityKeyIdentifier = keyid
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[below]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
{addresses}
[signer]
basicConstraints = critical, CA:FALSE
keyUsage = critical, nonRepudiation, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
{addresses}
[clock]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
{addresses}
[req]
distinguished_name = names
utf8 = yes
string_mask = utf8only
[names]
"""


@dataclass(frozen=True)
class Held:
    """A certificate and its key, in files as OpenSSL wrote them."""

    certificate_file: Path
    key_file: Path

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate_file.read_bytes())


class OutsideAuthority:
    """A root, or with `under` an authority below one. Its certificates name `crl` and `ocsp`, where given."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "Gốc của Hội Nghề cá",
        crl: str = "",
        ocsp: str = "",
        under: OutsideAuthority | None = None,
    ) -> None:
        folder.mkdir(parents=True)
        self.folder, self.under = folder, under
        lines = ([f"crlDistributionPoints = URI:{crl}"] if crl else []) + (
            [f"authorityInfoAccess = OCSP;URI:{ocsp}"] if ocsp else []
        )
        (folder / "ca.cnf").write_text(_CONFIGURATION.format(folder=folder, addresses="\n".join(lines)))
        (folder / "index.txt").write_text("")
        (folder / "serial").write_text("1000")
        (folder / "crlnumber").write_text("01")
        if under is None:
            self._root(name)
        else:
            made = under.issue(name, section="below", folder=folder, stem="ca")
            self.held = made

    def _root(self, name: str) -> None:
        self.held = Held(self.folder / "ca.pem", self.folder / "ca.key")
        _key(self.held.key_file)
        self._certify(name, self.held, "root", 3650, "-selfsign")

    @property
    def der(self) -> bytes:
        return self.held.der

    @property
    def pem(self) -> bytes:
        return self.held.certificate_file.read_bytes()

    def issue(
        self, name: str, *, section: str = "signer", folder: Path | None = None, stem: str | None = None, days: int = 30
    ) -> Held:
        """Return a certificate with a key of its own."""
        where = folder or self.folder
        stem = stem or f"held-{len(list(where.iterdir()))}"
        held = Held(where / f"{stem}.pem", where / f"{stem}.key")
        # pyHanko's own timestamp unit speaks RSA alone.
        _key(held.key_file, "RSA" if section == "clock" else "EC")
        self._certify(name, held, section, days)
        return held

    def _certify(self, name: str, held: Held, section: str, days: int, *more: str) -> None:
        request = held.key_file.with_suffix(".csr")
        _openssl(
            *("req", "-new", "-config", self.folder / "ca.cnf", "-key", held.key_file),
            *("-subj", f"/CN={name}/O=Hội Nghề cá", "-out", request),
        )
        # Valid for an hour already, so that something can have been signed before something else happened.
        begins = _moment(datetime.now(UTC) - timedelta(hours=1))
        self._ca(
            *("-batch", "-notext", "-extensions", section, "-startdate", begins, "-days", days),
            *("-in", request, "-out", held.certificate_file, *more),
        )

    def revoke(self, held: Held) -> None:
        self._ca("-revoke", held.certificate_file, "-crl_reason", "keyCompromise")

    def crl(self, *, age: timedelta = timedelta(minutes=1), lifetime: timedelta = timedelta(days=7)) -> bytes:
        """Return the list as it stands now, in DER, dated `age` ago and good for `lifetime` from then."""
        begins = datetime.now(UTC) - age
        self._ca(
            *("-gencrl", "-out", self.folder / "list.pem", "-crl_lastupdate", _moment(begins)),
            *("-crl_nextupdate", _moment(begins + lifetime)),
        )
        return x509.load_pem_x509_crl((self.folder / "list.pem").read_bytes()).public_bytes(Encoding.DER)

    def answer(self, request: bytes, *, signed_by: OutsideAuthority | None = None) -> bytes:
        """Return the answer to an OCSP request, as OpenSSL's responder gives it."""
        (self.folder / "request.der").write_bytes(request)
        signer = (signed_by or self).held
        _openssl(
            *("ocsp", "-index", self.folder / "index.txt", "-CA", self.held.certificate_file),
            *("-rsigner", signer.certificate_file, "-rkey", signer.key_file, "-ndays", "1"),
            *("-reqin", self.folder / "request.der", "-respout", self.folder / "answer.der"),
        )
        return (self.folder / "answer.der").read_bytes()

    def _ca(self, *words: object) -> None:
        _openssl("ca", "-config", self.folder / "ca.cnf", *words)


def signed_outside(held: Held, *others: OutsideAuthority, clock: Held | None = None) -> bytes:
    """Return a paper that somebody signed with pyHanko; with `clock`, a timestamp of a minute ago proves when."""
    metadata = signers.PdfSignatureMetadata(
        field_name="Signature1", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES
    )
    stamper = None
    if clock is not None:
        unit = _loaded(clock, *others)
        when = datetime.now(UTC) - timedelta(minutes=1)
        stamper = DummyTimeStamper(unit.signing_cert, unit.signing_key, unit.cert_registry, fixed_dt=when)
    made = signers.PdfSigner(metadata, _loaded(held, *others), timestamper=stamper)
    return bytes(made.sign_pdf(IncrementalPdfFileWriter(BytesIO(plain_pdf()))).getvalue())


def _loaded(held: Held, *others: OutsideAuthority) -> signers.SimpleSigner:
    files = [str(one.held.certificate_file) for one in others]
    signer = signers.SimpleSigner.load(str(held.key_file), str(held.certificate_file), ca_chain_files=files)
    assert signer is not None
    return signer


@dataclass
class Server:
    """What stands at each path, and what was asked for."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


@contextmanager
def server() -> Iterator[Server]:
    """Serve on a free port of the loopback."""
    ready: list[Server] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._give(b"")

        def do_POST(self) -> None:
            self._give(self.rfile.read(int(self.headers["Content-Length"])))

        def _give(self, body: bytes) -> None:
            ready[0].asked.append(f"{self.command} {self.path} {self.headers['Host']}")
            found = ready[0].answers.get(self.path, (404, {}, b""))
            if callable(found):
                found = found(body)
            status, headers, content = (200, {}, found) if isinstance(found, bytes) else found
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Whoever goes away in the middle is no news."""

    made = Quiet(("127.0.0.1", 0), Handler)
    ready.append(Server(made.server_port))
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield ready[0]
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


def decide(act: Act, by: str = "ngan") -> Act:
    """Let a second administrator approve."""
    with db.transaction() as session:
        return approvals.approve(session, actor(by), act.id, digest=act.digest_hex, now=datetime.now(UTC))


def trust(authority: OutsideAuthority, *, kind: Kind = Kind.ORGANISATION) -> TrustAnchor:
    """Let two administrators import a root."""
    now = datetime.now(UTC)
    with db.transaction() as session:
        act = acts.ask_to_import(session, actor("oanh"), authority.pem, kind=kind, reason="Thoả thuận 12/2026", now=now)
    decide(act)
    with db.transaction() as session:
        return session.query(TrustAnchor).filter_by(act_id=act.id).one()


def allow(host: str = "127.0.0.1", port: int | None = None, *, may_be_private: bool = True) -> TrustHost:
    """Let two administrators list a host."""
    now, who = datetime.now(UTC), actor("oanh")
    with db.transaction() as session:
        act = acts.ask_for_host(
            session, who, host, port=port, may_be_private=may_be_private, reason="Danh sách thu hồi", now=now
        )
    decide(act)
    with db.transaction() as session:
        return session.query(TrustHost).filter_by(act_id=act.id).one()


def _key(path: Path, algorithm: str = "EC") -> None:
    options = {"EC": "ec_paramgen_curve:P-256", "RSA": "rsa_keygen_bits:2048"}
    _openssl("genpkey", "-algorithm", algorithm, "-pkeyopt", options[algorithm], "-out", path)


def _openssl(*words: object) -> None:
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def _moment(when: datetime) -> str:
    return when.strftime("%y%m%d%H%M%SZ")
