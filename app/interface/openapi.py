"""The OpenAPI 3.1 document, generated from the declared operations (https://spec.openapis.org/oas/v3.1.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from app.interface.operations import PREFIX, Operation

# How the document refers to each model: two of one name get longer ones.
_References = Mapping[type[BaseModel], dict[str, Any]]
_REFERENCE: Final = "#/components/schemas/{model}"
_ARGUMENT: Final = re.compile(r"<(?:(\w+):)?(\w+)>")
_FORMATS: Final = {
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer", "minimum": 0},
    None: {"type": "string"},
}
_REFUSALS: Final = {
    "400": "The request could not be read.",
    "401": "No token, or one that is not valid any more.",
    "403": "The token, or the account it speaks for, does not allow this.",
    "404": "There is no such thing, or it lies outside the scope of the token.",
    "409": "The state has moved on, or the Idempotency-Key was used for another request.",
    "413": "The body is too large.",
    "415": "The body must have the media type that stands here.",
    "422": "What was sent does not fit; `errors` says where.",
    "429": "Too many; try again later.",
    "503": "A part of the house does not answer; nothing was changed. Send it again later, with the same key.",
}
_PROBLEM: Final = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "reference": {"type": "string", "description": "What the log calls this request."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "what"],
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
            },
        },
    },
}


def document(operations: Iterable[Operation], *, server: str, version: str) -> dict[str, Any]:
    """Return the document; `server` is the address of the installation."""
    declared = list(operations)
    models = sorted(
        {model for one in declared for model in (one.body, one.answer) if model is not None},
        key=lambda one: one.__name__,
    )
    references, schemas = models_json_schema(
        [(model, _mode(model, declared)) for model in models],
        ref_template=_REFERENCE,
    )
    named = {model: references[model, _mode(model, declared)] for model in models}
    paths: dict[str, dict[str, Any]] = {}
    for one in declared:
        paths.setdefault(PREFIX + _ARGUMENT.sub(r"{\2}", one.path), {})[one.method.lower()] = _operation(one, named)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ký Vào", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM, **schemas.get("$defs", {})},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


_DESCRIPTION: Final = (
    "Lists go on with `after`, the `next` of the page before. Every request that changes something may carry an"
    " `Idempotency-Key`: sent again within a day it gets the first answer and nothing is done twice. Errors are problem"
    " documents (RFC 9457)."
)


def _mode(model: type[BaseModel], operations: list[Operation]) -> JsonSchemaMode:
    return "validation" if any(one.body is model for one in operations) else "serialization"


def _operation(one: Operation, named: _References) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": f"{one.tag}.{one.name}",
        "tags": [one.tag],
        "summary": one.summary,
        "description": f"Needs the permission `{one.permission}`.",
        "parameters": [*_path_parameters(one), *_query_parameters(one), *_header_parameters(one)],
        "responses": {str(one.status.value): _success(one, named), **_refusals()},
    }
    if one.body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": named[one.body]}}}
    if one.file is not None:
        described["requestBody"] = {"required": True, "content": {one.file: {"schema": {"type": "string"}}}}
    return described


def _path_parameters(one: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _FORMATS[kind or None]}
        for kind, name in _ARGUMENT.findall(one.path)
    ]


def _query_parameters(one: Operation) -> list[dict[str, Any]]:
    if one.query is None:
        return []
    schema = one.query.model_json_schema(ref_template=_REFERENCE)
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": part.get("description", ""),
            "schema": _without_null(part, schema.get("$defs", {})),
        }
        for name, part in schema["properties"].items()
    ]


def _without_null(part: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter: one that may be left out is left out, it is never sent as null."""
    choices = [choice for choice in part.get("anyOf", ()) if choice.get("type") != "null"]
    rest = {key: value for key, value in part.items() if key not in {"anyOf", "default", "description", "title"}}
    merged = {**rest, **(choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {})}
    name = merged.pop("$ref", "").rpartition("/")[2]
    return {**definitions[name], **merged} if name else merged


def _header_parameters(one: Operation) -> list[dict[str, Any]]:
    if not one.changes:
        return []
    schema = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[\\x21-\\x7e]+$"}
    return [{"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema}]


def _success(one: Operation, named: _References) -> dict[str, Any]:
    described: dict[str, Any] = {"description": one.status.phrase}
    if one.answer is not None:
        described["content"] = {"application/json": {"schema": named[one.answer]}}
    return described


def _refusals() -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}}
    return {status: {"description": why, "content": content} for status, why in _REFUSALS.items()}
