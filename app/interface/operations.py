"""Operations of the API: each is a function with its models; its route, checks and description follow from it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from http import HTTPStatus
from typing import IO, Any, Final, TypeVar
from uuid import UUID

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session
from werkzeug.exceptions import UnsupportedMediaType

from app.accounts import tokens
from app.accounts.tokens import Bearer
from app.core.db import transaction
from app.core.errors import Forbidden, Invalid
from app.core.permissions import Actor, Guard, Permission, declare
from app.core.security import takes_paper, takes_upload
from app.interface import repeats

PREFIX: Final = "/api/v1"
_SAFE: Final = frozenset({"GET"})

# `function(call, [query], [body], **path arguments)`; its models are those of the operation.
F = TypeVar("F", bound=Callable[..., BaseModel | Response | None])


@dataclass(frozen=True)
class Call:
    """What a function of an operation gets beside its models."""

    session: Session
    actor: Actor
    now: datetime


@dataclass(frozen=True)
class Operation:
    """One operation: where it is, what it takes and gives, and who may call it."""

    method: str
    # With converters of Flask, as `/certificates/<uuid:certificate_id>`.
    path: str
    name: str
    tag: str
    summary: str
    permission: Permission
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    answer: type[BaseModel] | None
    status: HTTPStatus
    # The type of a body that is a file and no JSON: the function gets its octets.
    file: str | None = None
    # Whether a request changes anything; if not, nothing of it is kept, not even for its repetition.
    changes: bool = True
    # Whether the file is written to the disk as it comes, and the function gets it open.
    on_disk: bool = False


@dataclass
class Operations:
    """The operations of one capability; `bp` is registered by its `init`."""

    tag: str
    declared: list[Operation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bp = Blueprint(f"api_{self.tag}", __name__, url_prefix=PREFIX)

    def add(
        self,
        method: str,
        path: str,
        permission: Permission,
        summary: str,
        *,
        query: type[BaseModel] | None = None,
        body: type[BaseModel] | None = None,
        answer: type[BaseModel] | None = None,
        status: HTTPStatus = HTTPStatus.OK,
        upload: bool = False,
        file: str | None = None,
        on_disk: bool = False,
        changes: bool = True,
    ) -> Callable[[F], F]:
        """Declare the decorated function as an operation: `function(call, [query], [body], **path arguments)`.

        `upload` lets the body be as large as a file that a person uploads; `file` is the media type of one that is
        sent as it is, and the function gets its octets as the last model, or with `on_disk` (of up to 100 MB) an open
        file that it closes. One that does not `changes` anything keeps no answer.
        """

        def decorate(function: F) -> F:
            operation = Operation(
                method,
                path,
                function.__name__,
                self.tag,
                summary,
                permission,
                query,
                body,
                answer,
                status,
                file,
                changes and method not in _SAFE,
                on_disk,
            )
            self.declared.append(operation)
            view = declare(_view(operation, function), Guard("token", permission))
            view = takes_upload(view) if upload else view
            view = takes_paper(view) if on_disk else view
            self.bp.add_url_rule(path, function.__name__, view, methods=[method])
            return function

        return decorate


def _view(
    operation: Operation, function: Callable[..., BaseModel | Response | None]
) -> Callable[..., ResponseReturnValue]:
    @wraps(function)
    def view(**path: UUID | int | str) -> ResponseReturnValue:
        now = datetime.now(UTC)
        with transaction() as session:
            bearer = tokens.bearer_of(session, request.headers.get("Authorization", ""), now=now)
            if not bearer.actor.may(operation.permission):
                raise Forbidden(
                    _l("The access token does not allow this."),
                    _l("Make a token with the permission that the description of the operation names."),
                )
            models = _models(operation)
            call = Call(session, bearer.actor, now)
            if not operation.changes:
                return _respond(operation, function(call, *models, **path))
            return _once(session, bearer, operation, lambda: function(call, *models, **path), now)

    return view


def _once(
    session: Session,
    bearer: Bearer,
    operation: Operation,
    act: Callable[[], BaseModel | Response | None],
    now: datetime,
) -> ResponseReturnValue:
    """Act, or answer as before if this very request was answered before (Idempotency-Key)."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return _respond(operation, act())
    digest = hashlib.sha256(f"{request.method} {request.full_path}\n".encode() + request.get_data()).digest()
    before = repeats.begin(session, bearer.token_id, key, digest, now=now)
    if before is not None:
        return _json(before.body, HTTPStatus(before.status))
    made = act()
    if not isinstance(made, Response):
        repeats.finish(session, bearer.token_id, key, operation.status, _plain(made))
    return _respond(operation, made)


def _models(operation: Operation) -> list[BaseModel | bytes | IO[bytes]]:
    found: list[BaseModel | bytes | IO[bytes]] = []
    if operation.query is not None:
        # A name that stands twice would be read differently by the next program on the way.
        given = {name: values[0] if len(values) == 1 else values for name, values in request.args.lists()}
        found.append(_read(operation.query, given, "query"))
    elif request.args:
        raise _invalid([{"where": "query", "what": "no such parameter"}])
    if operation.body is not None:
        if not request.is_json:
            raise UnsupportedMediaType
        found.append(_read(operation.body, request.get_json(silent=True), "body"))
    if operation.file is not None:
        if request.mimetype != operation.file:
            raise UnsupportedMediaType
        found.append(_written() if operation.on_disk else request.get_data())
    return found


def _written() -> IO[bytes]:
    """Return the body as a file that has no name."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  the function closes it
    shutil.copyfileobj(request.stream, file)
    file.seek(0)
    return file


def _read(model: type[BaseModel], given: object, where: str) -> BaseModel:
    try:
        # Strict: what has another type than described is refused, not turned into it.
        if where == "body":
            return model.model_validate_json(request.get_data(), strict=True)
        return model.model_validate_strings(given, strict=True)
    except ValidationError as error:
        # What was sent is not repeated: it may hold names and numbers.
        raise _invalid(
            [
                {"where": "/".join((where, *map(str, one["loc"]))), "what": one["msg"]}
                for one in error.errors(include_input=False, include_url=False, include_context=False)
            ]
        ) from error


def _invalid(faults: list[dict[str, str]]) -> Invalid:
    error = Invalid(_l("The request does not fit the description of the operation. Nothing was changed."))
    error.members = {"errors": faults}
    return error


def _respond(operation: Operation, made: BaseModel | Response | None) -> ResponseReturnValue:
    if isinstance(made, Response):
        return made
    if made is None:
        return Response(status=HTTPStatus.NO_CONTENT)
    return _json(_plain(made), operation.status)


def _plain(made: BaseModel | None) -> dict[str, Any]:
    return made.model_dump(mode="json") if made is not None else {}


def _json(body: Mapping[str, Any] | None, status: HTTPStatus) -> Response:
    response = jsonify(body)
    response.status_code = status.value
    response.headers["Cache-Control"] = "no-store"
    return response
