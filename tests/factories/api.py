"""Programs that use the API: a token of somebody in the demonstration, and a client that sends it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.accounts import tokens
from app.core import db
from app.core.permissions import ROLE_PERMISSIONS, Permission
from tests.factories.certificates import actor


def token_of(login: str, *scopes: Permission, life: timedelta = timedelta(days=30)) -> str:
    """A token with these scopes; with all that the person may, if none is named."""
    who = actor(login)
    chosen: Collection[Permission] = scopes or {one for grant in who.grants for one in ROLE_PERMISSIONS[grant.role]}
    with db.transaction() as session:
        return tokens.make(session, who, name="Hệ thống một cửa", scopes=chosen, life=life, now=datetime.now(UTC))


class Program:
    """A client of the API."""

    def __init__(self, web: Flask, token: str) -> None:
        self._client: FlaskClient = web.test_client()
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **query: str) -> TestResponse:
        return self._client.get(f"/api/v1{path}", headers=self._headers, query_string=query)

    def post(self, path: str, body: object | None = None, *, key: str | None = None) -> TestResponse:
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        return self._client.post(f"/api/v1{path}", headers=headers, json=body)
