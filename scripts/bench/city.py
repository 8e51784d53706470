"""A city for a measurement: a durable PostgreSQL of its own, the authorities, agencies; gone at the end.

A figure is one line on standard output, `name value unit`; what is said meanwhile goes to standard error.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from app.certificates import authorities
from app.core import db
from app.core.permissions import house
from app.core.postgres import DURABLE, temporary_server
from app.core.settings import Settings, load
from app.migrations import upgrade
from app.registry import service as registry
from app.registry.models import Agency

# Standard output is for figures.
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


@dataclass(frozen=True)
class City:
    settings: Settings
    # The wards: agencies below the city.
    wards: tuple[Agency, ...]


@contextmanager
def city(*, wards: int = 12, environ: dict[str, str] | None = None) -> Iterator[City]:
    """Give a city with its authorities and `wards` agencies in a temporary folder, on a server that fsyncs."""
    with tempfile.TemporaryDirectory(prefix="kyvao-bench-") as folder, temporary_server(Path(folder), DURABLE) as url:
        upgrade(url)
        db.configure(url)
        mine = {"KYVAO_DATA": folder, "KYVAO_DATABASE_URL": url, **(environ or {})}
        os.environ |= mine
        settings = load(mine)
        with db.transaction() as session:
            actor = house("benchmark")
            top = registry.add_agency(session, code="H99", name="Ủy ban nhân dân Thành phố", parent=None, actor=actor)
            below = tuple(
                registry.add_agency(
                    session, code=f"H99.{number:03d}", name=f"Ủy ban nhân dân phường {number}", parent=top, actor=actor
                )
                for number in range(1, wards + 1)
            )
            authorities.create(session, settings, actor=actor, now=datetime.now(UTC), tell=say)
        try:
            yield City(settings, below)
        finally:
            db.dispose()


def figure(name: str, value: float, unit: str) -> None:
    """Print a figure with four significant digits."""
    print(f"{name} {value:.4g} {unit}" if value < 10_000 else f"{name} {value:.0f} {unit}", flush=True)


def say(text: str) -> None:
    """Say what goes on."""
    print(text, file=sys.stderr, flush=True)


def is_quick() -> bool:
    """Say whether a short run was asked for."""
    return "--quick" in sys.argv
