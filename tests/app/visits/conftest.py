"""The demonstration city with its gates."""

from __future__ import annotations

from tests.app.certificates.conftest import city

__all__ = ["city"]
