"""Signatures in one process: what each level costs for a small document, and a large one in time and memory.

    .venv/bin/python -m scripts.bench.sign [--quick]

Key, chain, revocation lists and timestamp unit are in the process, no network. Bare pyHanko does the same in the same
run (`scripts.bench.sign_peer`); times are those that the processor spent. A sample of all that was made is given to
`pdfsig` and `qpdf --check`: one file that they refuse ends this with an error. The memory of a large file is what its
signature adds to the process.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Final

import pikepdf

from pki.pades import augment
from pki.pades.dss import Material
from pki.pades.finish import finish
from pki.pades.prepare import prepare
from scripts.bench.city import figure, is_quick, say
from scripts.bench.sign_peer import Peer
from tests.factories import pdfs
from tests.factories import pki as factory

# Seconds of the processor for one figure.
_PATIENCE: Final = 2.0
_MEGABYTE: Final = 1024 * 1024
# Size in bytes and pages: a scanned file of a meeting, and the largest that intake takes.
_BIG: Final = ((26 * _MEGABYTE, 200), (100 * _MEGABYTE, 400))

# Figure, level, with a mark.
_CASES: Final = {
    "bb": ("B-B", False),
    "bt": ("B-T", False),
    "visible": ("B-B", True),
    "blta": ("B-LTA", False),
}


@dataclass(frozen=True)
class Desk:
    """A signer with everything that a signature of each level needs."""

    leaf: factory.Leaf
    material: Material
    answer: Callable[[bytes], bytes]

    @classmethod
    def arranged(cls) -> Desk:
        leaf, unit = pdfs.signer(), pdfs.timestamp_leaf()
        chain = (leaf.issuer.certificate_der, unit.issuer.certificate_der, factory.root().certificate_der)
        material = Material(certificates_der=chain, crls_der=pdfs.evidence().crls_der)
        return cls(leaf, material, pdfs.timestamping(factory.NOW, unit))

    def sign(self, base: IO[bytes], level: str, *, visible: bool = False) -> bytes:
        """Return what follows `base` in the signed file, as the web and the command line make it."""
        waiting = prepare(
            base,
            certificate_der=self.leaf.certificate_der,
            now=factory.NOW,
            mark=pdfs.MARK if visible else None,
            placement=pdfs.FIRST_PLACE if visible else None,
        )
        signature = finish(
            waiting,
            signature_value=self.leaf.key.sign(waiting.signed_attributes_der),
            certificate_der=self.leaf.certificate_der,
            chain_der=(self.leaf.issuer.certificate_der,),
            timestamp=self.answer if level != "B-B" else None,
        )
        if level != "B-LTA":
            return signature
        base.seek(0)
        return signature + augment.renew(BytesIO(base.read() + signature), self.material, self.answer)


def main() -> None:
    number = 150 if is_quick() else 1000
    desk = Desk.arranged()
    small = pdfs.plain()
    theirs = _of_peer(number // 5)
    for name, (level, visible) in _CASES.items():

        def ours(level: str = level, visible: bool = visible) -> bytes:
            return small + desk.sign(BytesIO(small), level, visible=visible)

        _judge(ours())
        ours_ms = _milliseconds(ours, number)
        figure(f"sign.{name}_ms", ours_ms, "ms")
        figure(f"sign.pyhanko_{name}_ms", theirs[name], "ms")
        figure(f"sign.ratio_to_pyhanko_{name}", theirs[name] / ours_ms, "times")
    for size, pages in _BIG:
        _big(size, pages)


def _milliseconds(act: Callable[[], bytes], number: int) -> float:
    """Return what one call takes of the processor: the median of `number` calls, or of what two seconds allow."""
    act()
    times: list[float] = []
    while len(times) < number and sum(times) < _PATIENCE:
        began = time.process_time()
        act()
        times.append(time.process_time() - began)
    return statistics.median(times) * 1000


def _of_peer(number: int) -> dict[str, float]:
    """Return the milliseconds of bare pyHanko, the best of three processes for each case.

    In about one process of five its timestamps take ten times as long as in the others; it is not held to that.
    """
    runs = []
    for _ in range(3):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            runs.append(pool.apply(_time_peer, (number,)))
    return {name: min(run[name] for run in runs) for name in _CASES}


def _time_peer(number: int) -> dict[str, float]:
    desk = Desk.arranged()
    peer = Peer(desk.leaf, desk.material, factory.root().certificate_der, desk.answer, factory.NOW)
    small, box = pdfs.plain(), pdfs.FIRST_PLACE.rectangle
    times = {}
    for name, (level, visible) in _CASES.items():

        def theirs(level: str = level, visible: bool = visible) -> bytes:
            return peer.sign(small, level, box if visible else None)

        # It adds the material of its last timestamp behind it, so that this does not cover the whole file.
        _judge(theirs(), whole=level != "B-LTA")
        times[name] = _milliseconds(theirs, number)
    return times


def _big(size: int, pages: int) -> None:
    """Sign one large file where it lies, in a process of its own."""
    name = f"{size // _MEGABYTE}mb"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.pdf"
        _write_big(path, size, pages)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            cpu_ms, peak_mb, grown_mb, appended = pool.apply(_sign_big, (str(path),))
        with path.open("ab") as file:
            file.write(appended)
        _judge_file(path)
    figure(f"sign.big_file_{name}_ms", cpu_ms, "ms")
    figure(f"sign.big_file_{name}_memory_mb", grown_mb, "MB")
    say(f"{name}: peak of the whole process with its libraries {peak_mb:.0f} MB")


def _write_big(path: Path, size: int, pages: int) -> None:
    """Write a file of pages that each show an image of noise, as a scanner makes them."""
    each = size // pages
    with pikepdf.new() as pdf:
        for _ in range(pages):
            page = pdf.add_blank_page(page_size=(595, 842))
            image = pdf.make_stream(
                os.urandom(each),
                Type=pikepdf.Name.XObject,
                Subtype=pikepdf.Name.Image,
                ColorSpace=pikepdf.Name.DeviceGray,
                BitsPerComponent=8,
                Width=each // 100,
                Height=100,
            )
            page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im1=image))
            page.obj.Contents = pdf.make_stream(b"q 595 0 0 842 0 0 cm /Im1 Do Q")
        pdf.save(path, min_version="1.7", compress_streams=False)


def _sign_big(path: str) -> tuple[float, float, float, bytes]:
    """Return milliseconds, peak memory, how much of it came with the signature, and what follows the file."""
    desk = Desk.arranged()
    desk.sign(BytesIO(pdfs.plain()), "B-T", visible=True)
    # Forget the peak so far (proc(5), clear_refs).
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak_mb()
    with Path(path).open("rb") as base:
        began = time.process_time()
        appended = desk.sign(base, "B-T", visible=True)
        spent = time.process_time() - began
    peak = _peak_mb()
    return spent * 1000, peak, peak - before, appended


def _peak_mb() -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise SystemExit("this system does not say what a process took of memory")
    return int(found[1]) / 1024


def _judge(pdf: bytes, *, whole: bool = True) -> None:
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(pdf)
        file.flush()
        _judge_file(Path(file.name), whole=whole)


def _judge_file(path: Path, *, whole: bool = True) -> None:
    """End the run if poppler or qpdf refuses the file."""
    said = _said("pdfsig", "-nocert", str(path)).stdout
    verdicts = re.findall(r"Signature Validation: (.*)", said)
    if not verdicts or verdicts[0] != "Signature is Valid." or (whole and "Total document signed" not in said):
        raise SystemExit(f"pdfsig refuses what was made:\n{said}")
    checked = _said("qpdf", "--check", str(path))
    if checked.returncode != 0:
        raise SystemExit(f"qpdf refuses what was made:\n{checked.stdout}{checked.stderr}")


def _said(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603  fixed words


if __name__ == "__main__":
    main()
