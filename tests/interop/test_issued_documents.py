"""Documents that a city has issued, before every judge; each judge also sees a bad twin.

They went the whole way by the services: from route, initials and head to number, day, code, seal and proofs.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from app.core import db
from app.core.settings import load
from app.status.server import StatusServer
from app.status.views import build
from app.verification import service as verification
from pki.pades.fields import CODE, DATE, NUMBER, SEAL
from pki.pades.report import Verdict
from tests.factories import issued_papers, pdfs, snapshots
from tests.factories.certificates import create_city
from tests.factories.issued_papers import IssuedPaper
from tests.interop.judges import PKILINT, certificate_file, run

# Made once, whoever of the processes gets these tests.
pytestmark = pytest.mark.xdist_group("issued documents")
PYHANKO = PKILINT / "pyhanko"
NAMES = ("letter", "main", "attachment", "scan")
MADE_AT_ISSUE = (NUMBER, DATE, CODE, SEAL)
_DPI = 100


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        del format, args


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[dict[str, IssuedPaper]]:
    """Three issued routes, of four files, of a city whose answers are to be had at the address in its certificates."""
    server = make_server("127.0.0.1", 0, lambda environ, start: [], handler_class=_Quiet)
    address = f"http://127.0.0.1:{server.server_port}"
    data = tmp_path_factory.mktemp("city")
    environ = {
        "KYVAO_DEMO": "1",
        "KYVAO_DATA": str(data),
        "KYVAO_DATABASE_URL": database_url,
        "KYVAO_STATUS_URL": address,
    }
    settings = load(environ)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        create_city(settings)
        status = StatusServer(settings, build(settings))
        status.load()
        server.set_app(status)
        thread.start()
        try:
            keys = issued_papers.staff()
            (letter,) = issued_papers.letter(settings, keys)
            main, attachment = issued_papers.envelope(settings, keys)
            (scan,) = issued_papers.two_heads(settings, keys)
            yield dict(zip(NAMES, (letter, main, attachment, scan), strict=True))
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
            status.close()
            snapshots.empty()


@pytest.fixture(params=NAMES)
def paper(request: pytest.FixtureRequest, papers: dict[str, IssuedPaper]) -> IssuedPaper:
    return papers[request.param]


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def signatures(pdf: bytes) -> list[tuple[bytes, bytes]]:
    """Return covered bytes and DER object of each signature and timestamp, found without our own code."""
    found = []
    for match in re.finditer(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+) *\]", pdf):
        _, gap_start, gap_end, tail = (int(number) for number in match.groups())
        padded = bytes.fromhex(pdf[gap_start + 1 : gap_end - 1].decode())
        assert padded[:2] == b"\x30\x82"
        length = 4 + int.from_bytes(padded[2:4], "big")
        found.append((pdf[:gap_start] + pdf[gap_end : gap_end + tail], padded[:length]))
    return found


def test_poppler_finds_each_signature_valid_and_the_whole_file_covered(tmp_path: Path, paper: IssuedPaper) -> None:
    said = run("pdfsig", "-nocert", written(tmp_path / "issued.pdf", paper.pdf)).stdout
    assert said.count("Signature is Valid") == paper.signatures
    assert said.count("Total document signed") == 1
    assert said.count("Signature #") == paper.signatures + 1
    changed = run("pdfsig", "-nocert", written(tmp_path / "changed.pdf", pdfs.flipped(paper.pdf, 12))).stdout
    assert "Signature is Valid" not in changed


def test_mupdf_finds_each_signature_valid(tmp_path: Path, paper: IssuedPaper) -> None:
    said = run("mutool", "sign", "-v", written(tmp_path / "issued.pdf", paper.pdf)).stdout
    # The rest of what it says is about the timestamp of the whole, which it cannot check.
    assert said.count("The signature is valid") == paper.signatures
    changed = run("mutool", "sign", "-v", written(tmp_path / "changed.pdf", pdfs.flipped(paper.pdf, 12))).stdout
    assert "The signature is valid" not in changed


def test_qpdf_has_nothing_to_say(tmp_path: Path, paper: IssuedPaper) -> None:
    checked = run("qpdf", "--check", written(tmp_path / "issued.pdf", paper.pdf))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert run("qpdf", "--check", written(tmp_path / "cut.pdf", paper.pdf[:-200])).returncode != 0


@pytest.mark.parametrize("change", ["nothing", "one bit"])
def test_openssl_verifies_the_message_of_each_signature(tmp_path: Path, paper: IssuedPaper, change: str) -> None:
    root = certificate_file(tmp_path / "root.pem", *paper.roots_der)
    *made, _document_timestamp = signatures(paper.pdf)
    assert len(made) == paper.signatures
    for content, cms_der in made:
        judged = run(
            *("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-cades", "-purpose", "any"),
            *("-in", written(tmp_path / "signature.der", cms_der)),
            *("-content", written(tmp_path / "content", content if change == "nothing" else pdfs.flipped(content, 12))),
            *("-CAfile", root, "-out", tmp_path / "out"),
        )
        assert (judged.returncode == 0) is (change == "nothing"), judged.stderr


@pytest.mark.parametrize("change", ["nothing", "one bit"])
def test_openssl_verifies_the_timestamp_of_the_whole_document(tmp_path: Path, paper: IssuedPaper, change: str) -> None:
    content, token_der = signatures(paper.pdf)[-1]
    judged = run(
        *("openssl", "ts", "-verify", "-token_in", "-in", written(tmp_path / "token.der", token_der)),
        *("-data", written(tmp_path / "data", content if change == "nothing" else pdfs.flipped(content, 12))),
        *("-CAfile", certificate_file(tmp_path / "root.pem", *paper.roots_der)),
        *("-untrusted", certificate_file(tmp_path / "between.pem", *paper.between_der)),
    )
    assert (judged.returncode == 0) is (change == "nothing"), judged.stdout + judged.stderr


def test_what_each_signer_signed_says_no_time_of_its_own_but_names_the_certificate(
    tmp_path: Path, paper: IssuedPaper
) -> None:
    for _content, cms_der in signatures(paper.pdf)[: paper.signatures]:
        said = run("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", written(tmp_path / "c", cms_der))
        assert "id-smime-aa-signingCertificateV2" in said.stdout
        assert "signingTime" not in said.stdout


def test_pyhankos_own_command_passes_every_signature_and_lets_nothing_be_changed(
    tmp_path: Path, paper: IssuedPaper
) -> None:
    if not PYHANKO.exists():
        pytest.fail("pyHanko's command is missing: run scripts/setup --test")
    trust = ("--trust-replace", "--trust", certificate_file(tmp_path / "root.pem", *paper.roots_der))
    judged = run(PYHANKO, "sign", "adesverify", *trust, written(tmp_path / "issued.pdf", paper.pdf))
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert judged.stdout.count(":INTACT:TRUSTED") == paper.signatures, judged.stdout
    assert "ILLEGAL" not in judged.stdout
    other = ("--trust-replace", "--trust", certificate_file(tmp_path / "other.pem", paper.between_der[0]))
    assert run(PYHANKO, "sign", "adesverify", *other, tmp_path / "issued.pdf").returncode != 0
    over = pdfs.with_other_text(paper.pdf)
    assert run(PYHANKO, "sign", "adesverify", *trust, written(tmp_path / "over.pdf", over)).returncode != 0


def test_our_own_check_agrees_and_sees_a_changed_twin(paper: IssuedPaper) -> None:
    for pdf, verdict in ((paper.pdf, Verdict.VALID), (pdfs.with_other_text(paper.pdf), Verdict.NOT_VALID)):
        with db.transaction() as session:
            evidence = verification.evidence(session, pdf)
        report = verification.check(pdf, evidence, now=datetime.now(UTC))
        assert report.verdict is verdict, [(one.field_name, one.reason) for one in report.signatures]
        assert len(report.signatures) == paper.signatures


def poppler(pdf: bytes, folder: Path, *, dpi: int = _DPI) -> list[Image.Image]:
    path = written(folder / "poppler.pdf", pdf)
    for old in folder.glob("poppler-*.png"):
        old.unlink()
    run("pdftoppm", "-cropbox", "-r", str(dpi), "-png", path, folder / "poppler")
    return [Image.open(one).convert("RGB") for one in sorted(folder.glob("poppler-*.png"))]


def pdfium(pdf: bytes, *, dpi: int = _DPI) -> list[Image.Image]:
    with pypdfium2.PdfDocument(pdf) as document:
        document.init_forms()
        return [page.render(scale=dpi / 72, may_draw_forms=True).to_pil().convert("RGB") for page in document]


def largest_difference(one: Image.Image, other: Image.Image) -> int:
    """Return the largest difference in grey, of 255, once both are blurred: each smooths edges in its own way."""
    blurred = [picture.convert("L").filter(ImageFilter.GaussianBlur(3)) for picture in (one, other)]
    return int(ImageChops.difference(*blurred).getextrema()[1])  # type: ignore[arg-type]  # one band: two numbers


def test_two_programs_draw_the_same_pages(tmp_path: Path, paper: IssuedPaper) -> None:
    ones, others = poppler(paper.pdf, tmp_path), pdfium(paper.pdf)
    assert [one.size for one in ones] == [other.size for other in others]
    for one, other in zip(ones, others, strict=True):
        assert largest_difference(one, other) < 60
    before = poppler(paper.signed, tmp_path)
    # What was put on at issue is more than the programs differ by.
    assert largest_difference(before[0], others[0]) > 60


def test_what_the_head_signed_is_drawn_as_before_but_for_number_day_code_and_seal(
    tmp_path: Path, paper: IssuedPaper
) -> None:
    for before, after, boxes in zip(
        poppler(paper.signed, tmp_path), poppler(paper.pdf, tmp_path), places(paper.pdf), strict=True
    ):
        assert (ImageChops.difference(before, after).getbbox() is None) is (not boxes)
        for picture in (before, after):
            for box in boxes:
                ImageDraw.Draw(picture).rectangle(box, fill="white")
        assert ImageChops.difference(before, after).getbbox() is None


def places(pdf: bytes) -> list[list[tuple[float, float, float, float]]]:
    """Return, for each page, the boxes in pixels of what is filled in at issue; read by another library than ours."""
    found = []
    with pikepdf.open(BytesIO(pdf)) as opened:
        for page in opened.pages:
            notes: Iterable[pikepdf.Object] = page.obj.get("/Annots", [])
            boxes = [
                [float(side) for side in one.Rect]
                for one in notes
                if str(one.get("/T", "")) in MADE_AT_ISSUE and "/V" in one
            ]
            found.append([pixels(box, page) for box in boxes])
    return found


def pixels(box: list[float], page: pikepdf.Page) -> tuple[float, float, float, float]:
    """Turn a box of the page into pixels of the picture of it as shown, with one pixel around it."""
    x0, y0, x1, y1 = (float(side) for side in page.cropbox.as_list())
    left, bottom, right, top = box
    turns = {
        0: (left - x0, y1 - top, right - x0, y1 - bottom),
        90: (bottom - y0, left - x0, top - y0, right - x0),
        270: (y1 - top, x1 - right, y1 - bottom, x1 - left),
    }
    scaled = [side * _DPI / 72 for side in turns[int(page.obj.get("/Rotate", 0))]]
    return scaled[0] - 2, scaled[1] - 2, scaled[2] + 2, scaled[3] + 2
