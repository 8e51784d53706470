"""The web application. Importing this package loads nothing: commands without a database stay quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.core.settings import Settings

__all__ = ["create_app"]


def create_app(settings: Settings) -> Flask:
    """Return the Flask application of the `web` process. The database must be configured before the first request."""
    from app.web import build

    return build(settings)
