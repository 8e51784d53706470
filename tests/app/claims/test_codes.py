"""What a scanned code is answered: by its class, by what became of the document, and nothing without the whole code."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.certificates import key_access, register, revocations
from app.certificates.models import Certificate
from app.claims import keys, service, tasks
from app.claims.models import Claim
from app.core import db
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import house
from app.core.settings import Settings
from pki import document_claim
from pki.document_claim import ClaimKeys, DocumentClass
from pki.errors import PassRejected
from pki.passes.faults import PassFault
from pki.profiles import ProfileName
from pki.revocation import RevocationReason
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token
from tests.factories.issued_claims import issue, paper

SignIn = Callable[[str], FlaskClient]
AGENCY = "Sở Khoa học và Công nghệ"


def compared(client: FlaskClient, code: object) -> dict[str, Any]:
    answer = client.post("/D/compare", json={"code": code})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.get_json()
    return found


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """What the answer says, without what it keeps to itself."""
    return {name: value for name, value in answer.items() if value is not None}


def published(client: FlaskClient) -> ClaimKeys:
    tasks.publish_keys.func(0)
    answer = client.get("/D/keys").get_json()
    key = load_der_public_key(base64.b64decode(answer["key"]))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return document_claim.verify_keys(base64.b64decode(answer["list"]), key)


def test_a_restricted_document_tells_number_date_and_agency(city: Settings, client: FlaskClient) -> None:
    one = issue(city)
    assert told(compared(client, one.code)) == {
        "standing": "in_force",
        "number": "123/QĐ-SKHCN",
        "issuedOn": f"{one.issued_on:%d/%m/%Y}",
        "agency": AGENCY,
    }


def test_a_public_document_tells_all_and_gives_its_file(city: Settings, client: FlaskClient) -> None:
    one = issue(city, document_class=DocumentClass.PUBLIC)
    answer = compared(client, one.code)
    assert answer["title"] == "Quyết định về giờ làm việc"
    assert answer["signer"] == "Trần Văn Minh"
    assert answer["issuedSha256"] == hashlib.sha256(one.issued).hexdigest()
    file = client.get(answer["fileUrl"])
    assert file.data == one.issued
    assert file.headers["Content-Disposition"].startswith("attachment")


def test_a_hidden_document_tells_nothing_but_that_its_code_is_genuine(city: Settings, client: FlaskClient) -> None:
    one = issue(city, document_class=DocumentClass.HIDDEN)
    assert told(compared(client, one.code)) == {"standing": "genuine"}


@pytest.mark.parametrize("document_class", [DocumentClass.RESTRICTED, DocumentClass.HIDDEN])
def test_the_file_of_a_document_that_is_not_public_is_not_found(
    city: Settings, client: FlaskClient, document_class: DocumentClass
) -> None:
    one = issue(city, document_class=document_class)
    with db.transaction() as session:
        claim = service.claim_of(session, one.document_id)
        assert claim is not None
        file_id = claim.claim_id.hex()
    for path in (file_id, "zz", "00" * 8, ""):
        assert client.get(f"/D/files/{path}", headers={"Accept": "application/json"}).status_code == 404


def test_a_withdrawn_document_says_so_and_gives_its_file_no_more(city: Settings, client: FlaskClient) -> None:
    one = issue(city, document_class=DocumentClass.PUBLIC)
    address = compared(client, one.code)["fileUrl"]
    first = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    for moment in (first, first + timedelta(hours=1)):
        with db.transaction() as session:
            service.withdraw(session, actor("minh"), one.document_id, now=moment)
    answer = compared(client, one.code)
    assert (answer["standing"], answer["withdrawnAt"]) == ("withdrawn", "23/11/2026 15:00")
    assert client.get(address, headers={"Accept": "application/json"}).status_code == 404


def test_a_replaced_document_names_the_one_that_stands_in_its_place(city: Settings, client: FlaskClient) -> None:
    first = issue(city)
    issue(city, number="124/QĐ-SKHCN", replaces=first.document_id)
    answer = compared(client, first.code)
    assert (answer["standing"], answer["replacedBy"]) == ("replaced", "124/QĐ-SKHCN")


@pytest.mark.parametrize("spoil", [lambda code: code[:-1], lambda code: f"{code}0", lambda code: "٣" + code[1:]])
def test_a_code_that_is_not_whole_is_not_in_the_register(
    city: Settings, client: FlaskClient, spoil: Callable[[str], str]
) -> None:
    code = issue(city).code
    assert told(compared(client, spoil(code))) == {"standing": "unknown"}


@pytest.mark.parametrize("body", [None, [], {"code": 5}, {"code": "7" * 2000}, {}])
def test_whatever_is_sent_is_answered(city: Settings, client: FlaskClient, body: object) -> None:
    answer = client.post("/D/compare", json=body)
    assert (answer.status_code, answer.get_json()["standing"]) == (200, "unknown")


def test_a_code_counts_only_once_its_document_is_issued(city: Settings, client: FlaskClient) -> None:
    one = issue(city)
    with db.transaction() as session:
        claim = service.claim_of(session, one.document_id)
        assert claim is not None
        claim.issued_version_id = None
    assert compared(client, one.code)["standing"] == "unknown"


def test_a_network_that_asks_too_often_waits(city: Settings, client: FlaskClient) -> None:
    answers = [client.post("/D/compare", json={"code": "1"}).status_code for _ in range(31)]
    assert answers == [200] * 30 + [429]


def test_a_document_is_issued_with_one_code_only(city: Settings) -> None:
    one = issue(city)
    with db.transaction() as session:
        claim = service.claim_of(session, one.document_id)
        assert claim is not None
        seal, version = session.get_one(Certificate, claim.certificate_id), claim.issued_version
        assert version is not None
        with pytest.raises(Conflict):
            service.issued(session, one.document_id, version)
        with pytest.raises(Conflict):
            service.qr_for(
                session,
                city,
                claim.document,
                number="1/QĐ",
                issued_on=one.issued_on,
                signed=version,
                seal=seal,
                key=_no_key(),
                now=datetime.now(UTC),
            )


def _no_key() -> Any:
    """A key that must not be reached."""
    return None


def test_a_number_that_fits_no_code_is_refused(city: Settings) -> None:
    with pytest.raises(Invalid):
        issue(city, number="Đ" * 25)


def test_a_document_without_a_code_cannot_be_withdrawn(city: Settings) -> None:
    document_id = paper(city)
    with db.transaction() as session, pytest.raises(NotFound):
        service.withdraw(session, house("test"), document_id, now=datetime.now(UTC))


def test_the_published_keys_verify_the_code_without_asking_us(city: Settings, client: FlaskClient) -> None:
    one = issue(city, document_class=DocumentClass.HIDDEN)
    claim, signer = published(client).verify(one.code)
    assert (claim.number, claim.issued_on, signer.agency_name) == ("123/QĐ-SKHCN", one.issued_on, AGENCY)
    assert claim.digest == hashlib.sha256(one.issued[: claim.size]).digest()
    assert claim.document_class is DocumentClass.HIDDEN


def test_a_seal_whose_key_was_lost_is_published_as_such(city: Settings, client: FlaskClient) -> None:
    one = issue(city)
    known = published(client)
    with db.transaction() as session:
        claim = service.claim_of(session, one.document_id)
        assert claim is not None
        certificate = register.find(session, claim.certificate_id)
        revocations.revoke(
            session, actor("oanh"), certificate.id, reason=RevocationReason.KEY_COMPROMISE, now=datetime.now(UTC)
        )
    after = published(client)
    assert after.edition.version == known.edition.version + 1
    with pytest.raises(PassRejected) as rejected:
        after.verify(one.code)
    assert rejected.value.fault is PassFault.KEY_NOT_CURRENT
    # The register still knows it.
    assert compared(client, one.code)["standing"] == "in_force"


def test_an_unchanged_list_of_keys_is_signed_anew_after_a_day_only(city: Settings, client: FlaskClient) -> None:
    first = published(client)
    assert published(client).edition == first.edition
    signer_is_old = first.edition.issued + keys.RENEW_AFTER + timedelta(seconds=1)
    with db.transaction() as session:
        signer = register.service_certificate(session, ProfileName.TRUST_LIST_SIGNER, now=datetime.now(UTC))
        assert signer is not None
        key = key_access.load(city, signer.key_reference)
        assert keys.publish(session, [], signer=signer, key=key, now=signer_is_old)


def test_before_the_first_list_the_page_is_told_to_wait(city: Settings, client: FlaskClient) -> None:
    assert client.get("/D/keys", headers={"Accept": "application/json"}).status_code == 503


def choose(client: FlaskClient, document_id: object, chosen: str) -> TestResponse:
    address = f"/documents/{document_id}/code"
    token = csrf_token(client, "/documents/new")
    return client.post(address, data={"csrf_token": token, "document_class": chosen})


def test_what_a_code_tells_is_chosen_before_the_document_is_issued(city: Settings, sign_in: SignIn) -> None:
    minh = sign_in("minh")
    document_id = paper(city)
    assert choose(minh, document_id, "0").status_code == 302
    assert choose(minh, document_id, "2").status_code == 302
    assert choose(minh, document_id, "3").status_code == 422
    with db.transaction() as session:
        assert service.class_of(session, document_id) is DocumentClass.HIDDEN
    issued = issue(city)
    assert choose(minh, issued.document_id, "0").status_code == 409
    assert "123/QĐ-SKHCN" in minh.get(f"/documents/{issued.document_id}/code").get_data(as_text=True)


def test_nobody_chooses_for_a_document_of_another_agency(city: Settings, sign_in: SignIn) -> None:
    document_id = paper(city)
    for who, status in (("hanh", 404), ("lan", 403)):
        client = sign_in(who)
        address = f"/documents/{document_id}/code"
        assert client.get(address, headers={"Accept": "application/json"}).status_code == status
    assert choose(sign_in("hanh"), document_id, "0").status_code == 404
    assert choose(sign_in("hanh"), uuid4(), "0").status_code == 404
    with db.transaction() as session:
        assert session.query(Claim).count() == 0
        assert service.class_of(session, document_id) is DocumentClass.RESTRICTED


def test_the_page_is_for_anyone_and_its_script_may_serve_it_offline(city: Settings, client: FlaskClient) -> None:
    page = client.get("/D")
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert client.get("/d").headers["Location"] == "/D"
    script = client.get("/D/offline.js")
    assert (script.headers["Service-Worker-Allowed"], script.headers["Cache-Control"]) == ("/D", "no-cache")
    assert "javascript" in script.content_type
