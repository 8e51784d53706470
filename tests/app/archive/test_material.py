"""What is gathered for the archive: answers where `status` gives them, lists where it does not, nothing by halves."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from wsgiref.simple_server import WSGIServer

import pytest
from cryptography import x509
from flask.testing import FlaskClient
from sqlalchemy import delete

from app.archive.material import material_for
from app.certificates.models import Crl
from app.core import db
from app.core.errors import Unavailable
from app.core.settings import Settings
from pki.pades import proofs
from tests.app.archive.test_levels import silent
from tests.app.signing.conftest import Signer
from tests.factories import pdfs
from tests.factories.documents import signed, uploaded

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def end_entities(sign_in: SignIn, minh: Signer) -> tuple[bytes, ...]:
    client = sign_in("minh")
    pdf = signed(client, uploaded(client), minh.certificate, minh.key)
    return proofs.read(BytesIO(pdf)).end_entities_der


def test_signer_and_unit_come_with_answers_their_authorities_with_the_roots_list(
    settings: Settings, end_entities: tuple[bytes, ...]
) -> None:
    with db.transaction() as session:
        found = material_for(session, settings, end_entities)
    names = [x509.load_der_x509_certificate(der) for der in found.certificates_der]
    assert sum(one.issuer == one.subject for one in names) == 1
    assert (len(found.ocsps_der), len(found.crls_der)) == (2, 1)


def test_lists_stand_in_where_no_answer_comes(
    settings: Settings, end_entities: tuple[bytes, ...], status_server: WSGIServer
) -> None:
    status_server.set_app(silent)
    with db.transaction() as session:
        found = material_for(session, settings, end_entities)
    assert (len(found.ocsps_der), len(found.crls_der)) == (0, 3)


def test_without_answer_and_list_nothing_is_gathered(
    settings: Settings, end_entities: tuple[bytes, ...], status_server: WSGIServer
) -> None:
    status_server.set_app(silent)
    with db.transaction() as session:
        session.execute(delete(Crl))
    with db.transaction() as session, pytest.raises(Unavailable):
        material_for(session, settings, end_entities)


def test_certificates_of_other_houses_are_passed_over(settings: Settings, end_entities: tuple[bytes, ...]) -> None:
    del end_entities
    with db.transaction() as session:
        assert not material_for(session, settings, [pdfs.signer().certificate_der])
