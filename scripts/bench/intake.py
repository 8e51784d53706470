"""What the city takes of the PDFs that people have, and what of that can be signed.

    .venv/bin/python -m scripts.bench.intake [--quick] [FOLDER]

Without a folder the files are those of the producers on this machine (`tests.factories.producers`), and of the PDFs
that lie in its packages. Each one that is taken is signed, and `pdfsig` and `qpdf --check` judge the result. Every
refusal is printed with its reason. The rate is of intake alone, by the time that the processor spent.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from pki.errors import PkiError
from pki.pades.intake import normalise
from scripts.bench.city import figure, is_quick, say
from scripts.bench.sign import Desk
from tests.factories import producers

# What --quick leaves time for.
_QUICK_SECONDS: Final = 35.0


def main() -> None:
    desk = Desk.arranged()
    ends_at = time.monotonic() + (_QUICK_SECONDS if is_quick() else float("inf"))
    seen = accepted = signable = 0
    spent = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        for name, content in _corpus(Path(scratch)):
            if time.monotonic() > ends_at:
                break
            seen += 1
            started = time.process_time()
            try:
                taken = normalise(content)
            except PkiError as error:
                say(f"  refused {name}: {getattr(error, 'fault', type(error).__name__)}")
                continue
            finally:
                spent += time.process_time() - started
            accepted += 1
            fault = _fault(desk, taken, Path(scratch) / "signed.pdf")
            if fault:
                say(f"  not signable {name}: {fault}")
            else:
                signable += 1
    if not seen:
        raise SystemExit("no PDF was found")
    figure("intake.files", seen, "files")
    figure("intake.accepted", 100 * accepted / seen, "%")
    figure("intake.signable", 100 * signable / seen, "%")
    figure("intake.rate", seen / spent, "files/s")


def _corpus(scratch: Path) -> Iterator[tuple[str, bytes]]:
    folders = [Path(word) for word in sys.argv[1:] if not word.startswith("-")]
    if not folders:
        yield from producers.ordinary(scratch)
    for folder in folders:
        for path in sorted(folder.rglob("*.pdf")):
            yield path.name, path.read_bytes()


def _fault(desk: Desk, taken: bytes, path: Path) -> str:
    """Return why the file cannot be signed, nothing if it can."""
    try:
        path.write_bytes(taken + desk.sign(BytesIO(taken), "B-B"))
    except PkiError as error:
        return f"signer: {error!r}"
    said = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    if "Signature is Valid" not in said.stdout or "Total document signed" not in said.stdout:
        return "pdfsig: " + (said.stdout + said.stderr).strip()[-200:]
    checked = subprocess.run(["qpdf", "--check", str(path)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return "" if checked.returncode == 0 else "qpdf: " + (checked.stdout + checked.stderr).strip()[-200:]


if __name__ == "__main__":
    main()
