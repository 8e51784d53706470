"""The cable between a browser and the city: a proxy that can be pulled out, for pages and service workers alike."""

from __future__ import annotations

import contextlib
import socket
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from urllib.parse import urlsplit


class Relay(ABC):
    """Carries octets between whoever connects to `listener` and the city; Chromium takes it as its proxy (`flags`).

    So the city's address stays one of loopback for the browser, which lets service workers work without TLS.
    """

    def __init__(self, url: str, listener: socket.socket) -> None:
        there = urlsplit(url)
        self._there = (there.hostname or "", there.port or 80)
        self._listener = listener
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._take, daemon=True).start()

    @property
    def flags(self) -> tuple[str, str]:
        host, port = self._listener.getsockname()
        # Chromium goes past a proxy to loopback unless it is told not to.
        return f"--proxy-server=http://{host}:{port}", "--proxy-bypass-list=<-loopback>"

    def browser(self, program: str, folder: Path) -> str:
        """Return what starts the browser `program` at the gate's end; `folder` is for what that needs."""
        return program

    @abstractmethod
    def pull(self) -> None:
        """Let nothing through from now on."""

    @abstractmethod
    def mend(self) -> None:
        """Let everything through again."""

    def close(self) -> None:
        self._end_all()
        # Ends `accept` too, which closing alone does not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _lets_through(self) -> bool:
        return True

    def _end_all(self) -> None:
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _take(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self._lets_through():
                near.close()
                continue
            far = socket.create_connection(self._there)
            self._open |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while octets := source.recv(65_536):
                sink.sendall(octets)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            self._open.discard(one)
            one.close()


class Cable(Relay):
    """On loopback: pulled out, every connection ends at once and none is taken."""

    def __init__(self, url: str) -> None:
        self._pulled = threading.Event()
        super().__init__(url, socket.create_server(("127.0.0.1", 0)))

    def pull(self) -> None:
        self._pulled.set()
        self._end_all()

    def mend(self) -> None:
        self._pulled.clear()

    def _lets_through(self) -> bool:
        return not self._pulled.is_set()
