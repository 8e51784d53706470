"""The demonstration city, whose agencies have seals."""

from __future__ import annotations

from tests.app.certificates.conftest import city

__all__ = ["city"]
