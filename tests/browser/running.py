"""The real processes of a demonstration city on loopback, with mail delivered to a real SMTP server."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from app.core import postgres
from app.core.postgres_home import find_home

KYVAO = Path(sys.executable).parent / "kyvao"
PATIENCE = 120.0


@dataclass(frozen=True)
class City:
    """A running city: its addresses, its data folder, and the letters it has sent."""

    web: str
    status: str
    data: Path
    letters: list[EmailMessage]

    def letters_to(self, address: str) -> list[EmailMessage]:
        return [letter for letter in self.letters if address in str(letter["To"])]


class Postbox:
    """Keeps what arrives, as aiosmtpd's handler."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        letter = message_from_bytes(envelope.content, policy=SMTP)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 OK"


def two_free_ports() -> int:
    """Return a port that is free together with the next one."""
    for _ in range(200):
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            with socket.socket() as second:
                try:
                    second.bind(("127.0.0.1", port + 1))
                except (OSError, OverflowError):
                    continue
                return port
    raise RuntimeError("no two free ports side by side")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def running_city(data: Path) -> Iterator[City]:
    """Run `kyvao run` on a fresh data folder until the block ends; it must then stop by itself, cleanly."""
    postbox = Postbox()
    mail = Controller(postbox, hostname="127.0.0.1", port=two_free_ports())
    mail.start()
    port = two_free_ports()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KYVAO_")}
    environ |= {"KYVAO_DEMO": "1", "KYVAO_SMTP_URL": f"smtp://127.0.0.1:{mail.port}"}
    log = (data.parent / "city.log").open("wb")
    process = subprocess.Popen(
        [str(KYVAO), "run", "--data", str(data), "--port", str(port)], env=environ, stdout=log, stderr=log
    )
    city = City(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}", data, postbox.letters)
    try:
        deadline = time.monotonic() + PATIENCE
        while not (answers(city.web) and answers(city.status)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the city did not start:\n" + Path(log.name).read_text()[-4000:])
            time.sleep(0.2)
        yield city
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, Path(log.name).read_text()[-4000:]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        mail.stop()
        log.close()
        remove_database(data)


def remove_database(data: Path) -> None:
    """Remove the city's database: under root it may lie outside the test's folder, which pytest removes by itself."""
    home = find_home(data)
    if home is not None:
        # Takes over and stops one whose owner had to be killed.
        postgres.start(data).stop()
        shutil.rmtree(home.folder)
