"""`kyvao run` on the real processes: one start, an interrupt, and a second start on the same data."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.running import remove_database, two_free_ports


@contextmanager
def running(data: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    """Give the process, its port and what it said until it was ready; it is killed if it is still there at the end."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KYVAO_")}
    port = two_free_ports()
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "run", "--data", data, "--port", str(port), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environ,
    )
    said: list[str] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if line.startswith("  Logs"):
                break
        assert process.poll() is None, "".join(said)
        yield process, port, "".join(said)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_it_starts_prints_its_addresses_stops_when_interrupted_and_starts_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--no-demo") as (process, port, said):
        assert re.search(rf"Web pages\s+http://127.0.0.1:{port}\n", said)
        assert re.search(rf"Status service\s+http://127.0.0.1:{port + 1}\n", said)
        assert "demonstration" not in said.lower()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
            assert page.status == 200
        # Root's data folder lets the database's account pass through; nobody but the owner can list or read anything.
        assert data.stat().st_mode & 0o066 == 0
        assert [path.name for path in data.iterdir() if not path.is_symlink() and path.stat().st_mode & 0o077] == []
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        assert process.returncode == 0, rest
        assert "Everything is stopped" in rest
    with running(data, "--no-demo") as (process, _, said):
        assert "making the database" not in said
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
        assert process.returncode == 0, rest
    remove_database(data)
