"""The demonstration city, and a host outside it that hands out revocation lists."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.certificates.conftest import city
from tests.factories.outside import Server, server

__all__ = ["city", "outside"]


@pytest.fixture
def outside() -> Iterator[Server]:
    with server() as made:
        yield made
