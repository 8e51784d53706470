"""The cable between a browser and the city: a proxy that can be pulled out, for pages and service workers alike."""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import urlsplit


class Cable:
    """A relay of octets on loopback; Chromium is told to use it as its proxy (`flags`)."""

    def __init__(self, url: str) -> None:
        there = urlsplit(url)
        self._there = (there.hostname or "", there.port or 80)
        self._pulled = threading.Event()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._take, daemon=True).start()

    @property
    def flags(self) -> tuple[str, str]:
        port = self._listener.getsockname()[1]
        # Chromium goes past a proxy to loopback unless it is told not to.
        return f"--proxy-server=http://127.0.0.1:{port}", "--proxy-bypass-list=<-loopback>"

    def pull(self) -> None:
        """End what runs through the cable, and let nothing through."""
        self._pulled.set()
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._pulled.clear()

    def close(self) -> None:
        self.pull()
        self._listener.close()

    def _take(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._pulled.is_set():
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
