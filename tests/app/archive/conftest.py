"""Signed documents whose status service listens."""

from tests.app.signing.conftest import city, hanh, minh, settings, status_server

__all__ = ["city", "hanh", "minh", "settings", "status_server"]
