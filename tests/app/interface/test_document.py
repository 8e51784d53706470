"""The OpenAPI document says what the API does: judged by Schemathesis, which reads it and calls everything."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy
from jsonschema_rs import ValidationError
from schemathesis import Case, GenerationMode, SerializationContext
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.openapi import from_dict, from_wsgi
from schemathesis.schemas import APIOperation
from sqlalchemy import select

from app.accounts import service as accounts
from app.alarms import service as alarms
from app.alarms.models import Alarm
from app.campaigns.models import Wave
from app.certificates.models import Authority
from app.core import db
from app.core.permissions import Role, house
from app.core.settings import Settings
from tests.factories.api import Program, token_of
from tests.factories.campaigns import running_campaign
from tests.factories.certificates import ask, issued_to

load_all_checks()


@schemathesis.serializer("application/pdf")
def _as_it_is(context: SerializationContext, value: object) -> bytes:
    """A file is sent as it is; what is made up is text."""
    return str(value).encode(errors="replace")


_LEFT_OUT: Final = {
    # What fits the description may still be refused: a made-up identifier names nothing.
    "positive_data_acceptance",
}
_CHECKS: Final = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in _LEFT_OUT]
_EXAMPLES: Final = int(os.environ.get("KYVAO_TEST_API_EXAMPLES", "4"))

Operation = APIOperation  # type: ignore[type-arg]  # its four kinds of parameters are of no interest here


@pytest.mark.parametrize("caller", ["everything", "dung", "minh"])
def test_every_operation_behaves_as_the_document_describes(city: Settings, web: Flask, caller: str) -> None:
    known = _known(web)
    headers = {"Authorization": f"Bearer {_token(caller)}"}
    schema = from_wsgi("/api/v1/openapi.json", web)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) > 20
    # Whoever lacks the permission is refused before anything is read, so the thorough trial is of the one who has all.
    faults = [fault for one in operations for fault in _faults(one, headers, known, thoroughly=caller == "everything")]
    assert not faults, "\n\n".join(faults)


def test_the_document_is_openapi_3_1(city: Settings, web: Flask) -> None:
    schema = from_wsgi("/api/v1/openapi.json", web)
    assert schema.raw_schema["openapi"] == "3.1.0"
    schema.validate()
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schema.raw_schema)))
    assert named == set(schema.raw_schema["components"]["schemas"])
    broken = from_dict({**schema.raw_schema, "paths": {"/x": {"get": {"responses": 1}}}})
    with pytest.raises(ValidationError):
        broken.validate()


def _token(caller: str) -> str:
    """Return a token with all that the account may; one account has every role in the whole city."""
    if caller == "everything":
        with db.transaction() as session:
            account = accounts.create_account(session, login=caller, label="Everything", person_id=None)
            for role in Role:
                accounts.grant_role(session, account, role, agency_id=None, actor=house("test"))
    return token_of(caller)


def _known(web: Flask) -> Mapping[str, str]:
    """Return something that exists for each argument of a path: many calls mean it, not a made-up one."""
    certificate = issued_to("minh")
    program = Program(web, token_of("oanh"))
    hold = {"certificate_id": str(certificate.id), "reason": "certificate_hold"}
    assert program.post("/revocations", hold).status_code == 201
    act = program.post(f"/certificates/{certificate.id}/release").get_json()
    bulk = program.post("/revocations/bulk", {"kind": "suspend", "serial_numbers": ["00ff", certificate.serial_hex]})
    campaign_id = running_campaign([b"x"])
    with db.transaction() as session:
        alarms.raise_alarm(session, "crl_stale", object_kind="authority", object_id="1")
        return {
            "certificate_id": str(certificate.id),
            "request_id": str(ask("lan")),
            "act_id": act["act_id"],
            "bulk_id": bulk.get_json()["id"],
            "campaign_id": str(campaign_id),
            "wave_id": str(session.scalars(select(Wave.id)).one()),
            "alarm_id": str(session.scalars(select(Alarm.id)).one()),
            "authority_id": str(session.scalars(select(Authority.id)).first()),
        }


def _faults(
    operation: Operation, headers: Mapping[str, str], known: Mapping[str, str], *, thoroughly: bool
) -> list[str]:
    """Return what Schemathesis finds at one operation, each fault once."""
    found: dict[str, str] = {}

    def call(case: Case) -> None:
        try:
            case.call_and_validate(headers=dict(headers), checks=_CHECKS)
        except FailureGroup as group:
            for one in group.exceptions:
                found.setdefault(f"{operation.label}: {type(one).__name__} {getattr(one, 'title', '')}", str(group))

    given_path = {name: value for name, value in known.items() if f"{{{name}}}" in operation.path}
    _drawn(operation.as_strategy(path_parameters=given_path or None), call)
    if thoroughly:
        for case in _edges(operation):
            call(case)
        for mode in GenerationMode:
            _drawn(operation.as_strategy(generation_mode=mode), call)
    return [f"{fault}\n{words}" for fault, words in found.items()]


def _edges(operation: Operation) -> Iterable[Case]:
    """Return the cases at the limits of each parameter, within them and beyond, the same in each run."""
    schema = operation.schema
    modes = list(GenerationMode)
    return schema.iter_coverage_cases(operation, generation_modes=modes, generation_config=schema.config.generation)


def _drawn(strategy: SearchStrategy[Case], call: Callable[[Case], None]) -> None:
    @settings(
        max_examples=_EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=strategy)
    def drawn(case: Case) -> None:
        call(case)

    drawn()
