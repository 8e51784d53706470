"""The demonstration city."""

from __future__ import annotations

from tests.app.certificates.conftest import city

__all__ = ["city"]
