"""Joining the operations of the capabilities to the application, and the document that describes them."""

from __future__ import annotations

from importlib.metadata import version

from flask import Blueprint, Flask, Response, current_app, jsonify

from app.core.permissions import public
from app.core.running import settings
from app.core.security import csrf
from app.interface import openapi
from app.interface.operations import PREFIX, Operation, Operations

bp = Blueprint("api_description", __name__, url_prefix=PREFIX)


def register(app: Flask, operations: Operations) -> None:
    """Add the operations of a capability. They know no cookies, so no page elsewhere can call them with a person's."""
    csrf.exempt(operations.bp)
    app.register_blueprint(operations.bp)
    _declared(app).extend(operations.declared)


@bp.get("/openapi.json")
@public("a description, the same for everybody")
def description() -> Response:
    made = openapi.document(_declared(current_app), server=settings().web_url, version=version("kyvao"))
    return jsonify(made)


def init(app: Flask) -> None:
    app.register_blueprint(bp)


def _declared(app: Flask) -> list[Operation]:
    found: list[Operation] = app.extensions.setdefault("kyvao_operations", [])
    return found
