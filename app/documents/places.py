"""Places at work that takes a core for a while: who finds none waits, and is told when it takes too long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask_babel import lazy_gettext as _l

from app.core.errors import Unavailable


class Places:
    """So many at a time in this process."""

    def __init__(self, count: int) -> None:
        self._places = threading.BoundedSemaphore(count)

    @contextmanager
    def one(self, *, patience: float) -> Iterator[None]:
        """Hold a place. Raises Unavailable when none became free for `patience` seconds."""
        if not self._places.acquire(timeout=patience):
            raise Unavailable(
                _l("Many files are being read right now, so yours was not. Nothing was changed."),
                _l("Try again in a minute."),
            )
        try:
            yield
        finally:
            self._places.release()
