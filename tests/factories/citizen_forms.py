"""Forms filled in, signed and sent as a browser does it."""

from __future__ import annotations

import base64
from io import BytesIO
from uuid import UUID

import pikepdf
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.citizen_forms.models import Submission
from app.core import db
from app.demo import extract_form
from tests.app.signing.conftest import Signer
from tests.factories.documents import answer_of
from tests.factories.forms import csrf_token

# In the order of the form; see app/demo/extract_form.py.
ANSWERS = {
    "q0": "Nguyễn Thị Lan",
    "q1": "12 đường Hoàng Hoa Thám, phường Bến Đỏ",
    "q2": "Trần Văn Ưởng",
    "q3": "cha_me",
    "q4": "khai_sinh",
    "q5": "2",
    "q6": "Nhập học cho con.",
    "q7": "y",
}


def fill(client: FlaskClient, form_id: UUID, **changes: str | None) -> TestResponse:
    """Send the questions' page; a change to None leaves the answer out."""
    address = f"/forms/{form_id}/fill"
    return client.post(address, data=_data(client, changes))


def change(client: FlaskClient, submission_id: UUID, **changes: str | None) -> TestResponse:
    address = f"/forms/submissions/{submission_id}/change"
    return client.post(address, data=_data(client, changes))


def filled(client: FlaskClient, form_id: UUID, **changes: str | None) -> UUID:
    answer = fill(client, form_id, **changes)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return UUID(answer.location.rsplit("/", 1)[1])


def token(client: FlaskClient) -> dict[str, str]:
    return {"csrf_token": csrf_token(client, "/")}


def act(client: FlaskClient, path: str, **data: str) -> TestResponse:
    """Press a button: `path` below /forms."""
    return client.post(f"/forms/{path}", data={**token(client), **data})


def submission_of(submission_id: UUID) -> Submission:
    with db.transaction() as session:
        return session.scalars(select(Submission).where(Submission.id == submission_id)).one()


def sign(client: FlaskClient, signer: Signer, submission_id: UUID) -> TestResponse:
    """Sign the paper with the citizen's key by the two requests of signing."""
    submission = submission_of(submission_id)
    headers = {"Accept": "application/json", "X-CSRFToken": token(client)["csrf_token"]}
    with db.transaction() as session:
        number = session.merge(submission).document.newest.number
    wish = {"certificateSha256": signer.certificate.sha256, "baseNumber": number, "page": 1, "corner": "top_left"}
    prepared = client.post(
        f"/documents/{submission.document_id}/signatures",
        json={**wish, "xMm": 121.7, "yMm": 207, "reason": None},
        headers=headers,
    )
    if prepared.status_code != 201:
        return prepared
    told = prepared.get_json()
    value = answer_of(signer.key, base64.b64decode(told["signedAttributes"]))
    return client.post(told["completeUrl"], json={"signature": base64.b64encode(value).decode()}, headers=headers)


def sent(client: FlaskClient, signer: Signer, form_id: UUID) -> UUID:
    """Fill in, sign and send the form."""
    submission_id = filled(client, form_id)
    answer = sign(client, signer, submission_id)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert act(client, f"submissions/{submission_id}/send").status_code == 302
    return submission_id


def changed_form(change: object) -> bytes:
    """Return the demonstration's form after `change(pdf)`."""
    output = BytesIO()
    with pikepdf.open(BytesIO(extract_form.make())) as pdf:
        change(pdf)  # type: ignore[operator]  # a function of the test's own
        pdf.save(output)
    return output.getvalue()


def _data(client: FlaskClient, changes: dict[str, str | None]) -> dict[str, str]:
    answers = {**ANSWERS, **changes}
    return {**token(client), **{name: value for name, value in answers.items() if value is not None}}
