"""A running `web` with a congress in its database, and the load that its gates make."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from app.certificates import authorities
from app.core import db
from app.core.permissions import house
from app.core.settings import Settings
from app.registry.models import Agency
from pki.passes.decision import Outcome, Reason, Verdict
from pki.passes.lease import Policy
from scripts.bench.city import city, say
from scripts.bench.serving import CONNECTIONS, Load, child, free_port, listening, read_wrk
from tests.factories import gate_world
from tests.factories.gate_world import World
from tests.factories.tablets import Tablet

_TOKEN: Final = 43


@dataclass(frozen=True)
class Gates:
    """A congress, and where its `web` listens."""

    settings: Settings
    world: World
    port: int


@contextmanager
def congress(*, guests: int, gates: int, policy: Policy | None = Policy.STRICT) -> Iterator[tuple[Settings, World]]:
    """Give a city with a congress that is on now."""
    with city(wards=1) as made:
        with db.transaction() as session:
            agency = session.get_one(Agency, made.wards[0].id)
            authorities.certify_agency(session, made.settings, agency, actor=house("benchmark"), now=datetime.now(UTC))
            code = agency.code
        world = gate_world.build(made.settings, guests=guests, gates=gates, policy=policy, agency_code=code)
        say(f"{guests} passes, {gates} tablets")
        yield made.settings, world


@contextmanager
def web(settings: Settings) -> Iterator[int]:
    """Give the port of a running `web`."""
    port = free_port()
    with child(settings, "web", port=port):
        listening(port)
        # The worker that starts last.
        time.sleep(3)
        yield port


def scan_body(code: str, own: Verdict = Verdict(Outcome.LOOK_AGAIN, Reason.NO_LEASE)) -> dict[str, str]:  # noqa: B008  frozen
    """Return a fresh scan as a tablet sends it; `own` is what it may by itself."""
    return {
        "scan_id": str(uuid4()),
        "digits": code,
        "scanned_at": datetime.now(UTC).isoformat(),
        "outcome": own.outcome,
        "reason": own.reason,
    }


def scans_by_wrk(port: int, folder: Path, requests: Sequence[tuple[Tablet, str]], *, seconds: int) -> Load:
    """Send each scan once from sixteen connections, as fast as they are answered."""
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("wrk is not installed: apt-get install wrk")
    bodies = [json.dumps(scan_body(code)).encode() for _, code in requests]
    size = max(map(len, bodies))
    rows = (one.token.encode() + body.ljust(size) for (one, _), body in zip(requests, bodies, strict=True))
    (folder / "scans").write_bytes(b"".join(rows))
    script = folder / "scans.lua"
    script.write_text(_LUA.format(path=folder / "scans", size=size, token=_TOKEN))
    words = [program, "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--latency", "-s", str(script)]
    said = subprocess.run(  # noqa: S603  wrk
        [*words, f"http://127.0.0.1:{port}/gate/scans"], capture_output=True, text=True, check=True
    ).stdout
    print(said, file=sys.stderr)
    return read_wrk(said)


_LUA: Final = """
local prepared, at = {{}}, 0
function init(args)
  local file = io.open("{path}", "rb")
  while true do
    local token = file:read({token})
    if not token then break end
    local headers = {{["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. token}}
    prepared[#prepared + 1] = wrk.format("POST", nil, headers, file:read({size}))
  end
  file:close()
end
function request()
  at = at + 1
  if at > #prepared then wrk.thread:stop() at = 1 end
  return prepared[at]
end
"""


class Client:
    """One connection of a tablet to the server; it is opened again when it breaks."""

    def __init__(self, port: int) -> None:
        self._address = urlsplit(f"//127.0.0.1:{port}")
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, token: str, body: Mapping[str, object]) -> tuple[int, Any]:
        """Send and return status and answer. Raises OSError or HTTPException when nobody answers."""
        return self.send(path, token, json.dumps(body).encode())

    def send(self, path: str, token: str, body: bytes) -> tuple[int, Any]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(str(self._address.hostname), self._address.port, timeout=20)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        try:
            self._connection.request("POST", path, body, headers)
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = None
            raise


def batches_by_threads(port: int, bodies: Sequence[tuple[str, Sequence[bytes]]]) -> tuple[float, int]:
    """Send each tablet's batches in order, tablets beside each other; return seconds and entries acknowledged."""

    def one(tablet: tuple[str, Sequence[bytes]]) -> int:
        client, last = Client(port), 0
        for body in tablet[1]:
            status, said = client.send("/gate/v1/events", tablet[0], body)
            if status != 200:
                raise SystemExit(f"a batch was refused: {status} {said}")
            last = int(said["contiguous"])
        return last

    begun = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        taken = sum(pool.map(one, bodies))
    return time.perf_counter() - begun, taken
