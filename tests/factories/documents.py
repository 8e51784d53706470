"""Papers and their signing as a browser does it: forms with their token, JSON, and a key that answers."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any
from uuid import UUID

import pikepdf
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.certificates.models import Certificate
from pki.keys import SoftwareKey
from tests.factories.forms import csrf_token


def plain_pdf(text: str = "Quyet dinh", *, pages: int = 1) -> bytes:
    """Return a PDF of A4 pages that each show `text` (ASCII) and their number."""
    with pikepdf.new() as pdf:
        font = pdf.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        )
        for number in range(1, pages + 1):
            page = pdf.add_blank_page(page_size=(595.28, 841.89))
            page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
            page.obj.Contents = pdf.make_stream(f"BT /F1 14 Tf 85 740 Td ({text} {number}) Tj ET".encode())
        output = BytesIO()
        pdf.save(output)
    return output.getvalue()


def encrypted_pdf() -> bytes:
    output = BytesIO()
    with pikepdf.open(BytesIO(plain_pdf())) as pdf:
        pdf.save(output, encryption=pikepdf.Encryption(owner="a", user="b"))
    return output.getvalue()


def scripted_pdf() -> bytes:
    """Return a PDF that runs a script when it is opened."""
    output = BytesIO()
    with pikepdf.open(BytesIO(plain_pdf())) as pdf:
        pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        pdf.save(output)
    return output.getvalue()


def upload(
    client: FlaskClient, pdf: bytes, *, title: str = "Quyết định", name: str = "quyet-dinh.pdf", **more: str
) -> TestResponse:
    """Send the form of `/documents/new`."""
    return client.post(
        "/documents/new",
        data={
            "csrf_token": csrf_token(client, "/documents/new"),
            "title": title,
            "file": (BytesIO(pdf), name),
            **more,
        },
        content_type="multipart/form-data",
    )


def uploaded(client: FlaskClient, pdf: bytes | None = None, *, title: str = "Quyết định", **more: str) -> UUID:
    """Upload a paper that is accepted and return its identifier."""
    answer = upload(client, pdf or plain_pdf(), title=title, **more)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return UUID(answer.location.rsplit("/", 1)[1])


def prepare(client: FlaskClient, document_id: UUID, certificate: Certificate, **changes: object) -> TestResponse:
    """Ask for the newest version to be prepared; `changes` replaces fields of the request."""
    body: dict[str, Any] = {
        "certificateSha256": certificate.sha256,
        "baseNumber": 1,
        "page": 1,
        "corner": "bottom_right",
        "xMm": 20,
        "yMm": 40,
        "reason": None,
        **changes,
    }
    return client.post(f"/documents/{document_id}/signatures", json=body, headers=_headers(client))


def answer_of(key: SoftwareKey, attributes_der: bytes) -> bytes:
    """Return what WebCrypto would: r and s, 32 bytes each."""
    r, s = decode_dss_signature(key.sign(attributes_der))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def complete(client: FlaskClient, prepared: dict[str, Any], key: SoftwareKey) -> TestResponse:
    """Sign what was prepared and send the answer."""
    value = answer_of(key, base64.b64decode(prepared["signedAttributes"]))
    return send_signature(client, prepared["completeUrl"], value)


def send_signature(client: FlaskClient, address: str, value: bytes) -> TestResponse:
    return client.post(address, json={"signature": base64.b64encode(value).decode()}, headers=_headers(client))


def signed(
    client: FlaskClient, document_id: UUID, certificate: Certificate, key: SoftwareKey, **changes: object
) -> bytes:
    """Sign the paper and return the signed file."""
    prepared = prepare(client, document_id, certificate, **changes)
    assert prepared.status_code == 201, prepared.get_data(as_text=True)
    completed = complete(client, prepared.get_json(), key)
    assert completed.status_code == 200, completed.get_data(as_text=True)
    return client.get(completed.get_json()["downloadUrl"]).get_data()


def _headers(client: FlaskClient) -> dict[str, str]:
    return {"Accept": "application/json", "X-CSRFToken": csrf_token(client, "/documents/new")}
