"""Real servers on loopback for a measurement, and `wrk` that asks them; all are ended when the block ends."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.core.settings import Settings
from app.processes import Plan, plans
from app.supervisor import child_environ

CONNECTIONS: Final = 16
_PATIENCE: Final = 60.0
_UNITS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Load:
    """What wrk measured."""

    rate: float
    p99_ms: float
    errors: int


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Give a running process; what it says goes to standard error."""
    # A group of its own, not a session: `openssl ocsp -multi` refuses to lead one.
    process = subprocess.Popen(  # noqa: S603  our own programs and the peers beside them
        list(command), env=dict(environ or os.environ), stdout=sys.stderr, stderr=sys.stderr, process_group=0
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


@contextmanager
def child(settings: Settings, name: str, *, port: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """Give a process of `kyvao run` by its name; `port` is what it listens on, if it does."""
    (plan,) = [one for one in _plans(port) if one.name == name]
    with started(plan.command, child_environ(settings)) as process:
        yield process


def listening(port: int) -> str:
    """Return the address at which something listens on `port`, as it stands in a URL, when it does."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family) as probe:
                if probe.connect_ex((host, port)) == 0:
                    return host if family == socket.AF_INET else f"[{host}]"
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


def wrk(url: str, folder: Path, requests: Sequence[bytes] | None = None, *, seconds: int) -> Load:
    """Ask `url` from sixteen connections; `requests` are bodies for POST of one length, in the order they are sent.

    Without them the address itself is fetched.
    """
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("wrk is not installed: apt-get install wrk")
    words = [program, "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--latency"]
    if requests is not None:
        (folder / "requests").write_bytes(b"".join(requests))
        script = folder / "wrk.lua"
        script.write_text(_LUA.format(path=folder / "requests", size=len(requests[0])))
        words += ["-s", str(script)]
    said = subprocess.run([*words, url], capture_output=True, text=True, check=True).stdout  # noqa: S603
    print(said, file=sys.stderr)
    return read_wrk(said)


_LUA: Final = """
local prepared, at = {{}}, 0
function init(args)
  local file = io.open("{path}", "rb")
  while true do
    local body = file:read({size})
    if not body then break end
    prepared[#prepared + 1] = wrk.format("POST", nil, {{["Content-Type"] = "application/octet-stream"}}, body)
  end
  file:close()
end
function request()
  at = at % #prepared + 1
  return prepared[at]
end
"""


def read_wrk(said: str) -> Load:
    """Return the figures in what wrk says."""
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    if rate is None or slow is None:
        raise SystemExit("wrk said nothing that can be read")
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return Load(float(rate[1]), float(slow[1]) * _UNITS[slow[2]], int(errors[1]) if errors else 0)


def _plans(port: int) -> list[Plan]:
    return plans(bind="127.0.0.1", web_port=port, status_port=port)
