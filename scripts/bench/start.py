"""How long `kyvao run` takes until `web` answers: with an empty data folder, and again with what is there.

    .venv/bin/python -m scripts.bench.start

One line each: name, value, unit. Needs what `scripts/setup --test` installs.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.browser.running import answers, two_free_ports

KYVAO: Final = Path(sys.executable).parent / "kyvao"
PATIENCE: Final = 120.0


def start_once(data: Path) -> float:
    """Start a city on `data`, wait until it answers, stop it; return the seconds to the first answer."""
    port = two_free_ports()
    started = time.monotonic()
    command = [str(KYVAO), "run", "--data", str(data), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603  our own
    try:
        while not answers(f"http://127.0.0.1:{port}/"):
            if time.monotonic() > started + PATIENCE or process.poll() is not None:
                raise SystemExit("the city did not start")
            time.sleep(0.02)
        return time.monotonic() - started
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        print(f"first_start {start_once(data):.2f} s")
        print(f"second_start {start_once(data):.2f} s")


if __name__ == "__main__":
    main()
