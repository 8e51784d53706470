"""What a command says while it works: one line a step, and how long it has been when that is over two seconds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

PATIENCE: Final = 2.0


def say(line: str = "") -> None:
    print(line, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say `title`, then a sign of life every two seconds, then how long it took."""
    started = monotonic()
    done = threading.Event()
    on_terminal = sys.stdout.isatty()

    def tick() -> None:
        while not done.wait(PATIENCE):
            text = f"\r→ {title} … {monotonic() - started:.0f} s" if on_terminal else " …"
            print(text, end="", flush=True)

    print(f"→ {title}", end="", flush=True)
    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    except BaseException:
        done.set()
        ticker.join()
        print(": stopped", flush=True)
        raise
    done.set()
    ticker.join()
    again = f"\r→ {title}" if on_terminal else ""
    say(f"{again}: {monotonic() - started:.1f} s")
