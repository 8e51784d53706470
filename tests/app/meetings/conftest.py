"""The demonstration city, where meetings are called."""

from __future__ import annotations

from tests.app.certificates.conftest import city

__all__ = ["city"]
