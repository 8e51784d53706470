"""Gate and city in network namespaces of their own, with one wire between them: cut, it answers nothing, not even no.

A process of this module (`python -m tests.browser.two_networks HANDLE`, inside a user namespace, so it needs no
privilege) holds both namespaces, opens the city's listener in the one, and puts the wire up and down on command.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.browser.cable import Relay
from tests.browser.waiting import wait_until

_APART: Final = ("unshare", "--user", "--map-root-user", "--net")
_CITY, _GATE = "10.77.0.1", "10.77.0.2"


def may_part() -> bool:
    """Say whether this machine lets us make namespaces and a wire between them."""
    if any(shutil.which(program) is None for program in ("ip", "unshare", "nsenter")):
        return False
    wire = ("ip", "link", "add", "one", "type", "veth", "peer", "name", "other")
    return subprocess.run([*_APART, *wire], check=False, capture_output=True).returncode == 0


class Wire(Relay):
    """The browser stands in the gate's namespace; its packets reach the city over one wire or not at all."""

    def __init__(self, url: str) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._holder = subprocess.Popen(
                [*_APART, sys.executable, "-m", __name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            ours.settimeout(20)
            self._gate, handles, _, _ = socket.recv_fds(ours, 20, 1)
        super().__init__(url, socket.socket(fileno=handles[0]))

    def browser(self, program: str, folder: Path) -> str:
        start = folder / "browser-at-the-gate"
        target = self._gate.decode()
        start.write_text(f'#!/bin/sh\nexec nsenter -t {target} --user --net --preserve-credentials {program} "$@"\n')
        start.chmod(0o755)
        return str(start)

    def pull(self) -> None:
        self._say("down")

    def mend(self) -> None:
        self._say("up")

    def close(self) -> None:
        super().close()
        self._holder.communicate(timeout=20)

    def _say(self, state: str) -> None:
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.write(f"{state}\n")
        self._holder.stdin.flush()
        assert self._holder.stdout.readline() == f"{state}\n"


def _hold(handle: int) -> None:
    """Make the namespaces and the wire, hand over the listener and the gate's process, obey until the input ends."""
    here = os.readlink("/proc/self/ns/net")
    _run("ip", "link", "set", "lo", "up")
    # Lives as long as its input, which is ours.
    gate = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)
    wait_until(lambda: os.readlink(f"/proc/{gate.pid}/ns/net") != here, "a namespace for the gate")
    at_gate = ("nsenter", "-t", str(gate.pid), "--net")
    _run("ip", "link", "add", "city", "type", "veth", "peer", "name", "gate", "netns", str(gate.pid))
    for place, name, address in (((), "city", _CITY), (at_gate, "gate", _GATE)):
        _run(*place, "ip", "address", "add", f"{address}/30", "dev", name)
        _run(*place, "ip", "link", "set", name, "up")
    _run(*at_gate, "ip", "link", "set", "lo", "up")
    with socket.create_server((_CITY, 0)) as listener, socket.socket(fileno=handle) as asked:
        socket.send_fds(asked, [str(gate.pid).encode()], [listener.fileno()])
    for line in sys.stdin:
        _run("ip", "link", "set", "city", line.strip())
        print(line.strip(), flush=True)
    gate.communicate()


def _run(*words: str) -> None:
    subprocess.run(words, check=True)


if __name__ == "__main__":
    _hold(int(sys.argv[1]))
