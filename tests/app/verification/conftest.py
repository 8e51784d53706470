"""A city with a listening timestamp service, and a paper signed in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.app.signing.conftest import Signer, city, minh, settings, status_server
from tests.factories.documents import signed, uploaded

__all__ = ["city", "minh", "settings", "status_server"]


@pytest.fixture
def signed_pdf(sign_in: Callable[[str], FlaskClient], minh: Signer) -> bytes:
    client = sign_in("minh")
    return signed(client, uploaded(client), minh.certificate, minh.key)
