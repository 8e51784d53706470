"""Filling in forms as a browser does: the page is fetched first and its token sent along."""

from __future__ import annotations

import re

from flask.testing import FlaskClient


def csrf_token(client: FlaskClient, path: str = "/") -> str:
    """Return the form token of the page at `path`."""
    page = client.get(path).get_data(as_text=True)
    found = re.search(r'name="csrf[-_]token"[^>]*?(?:value|content)="([^"]+)"', page)
    assert found, f"no form token at {path}"
    return found.group(1)
