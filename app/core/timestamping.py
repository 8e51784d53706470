"""Fetching a timestamp from `status` over the loopback (RFC 3161, 3.4)."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Final
from urllib.error import URLError
from urllib.request import Request, urlopen

from flask_babel import lazy_gettext as _l

from app.core.errors import Unavailable
from app.core.logs import log
from app.core.settings import Settings

# Takes a DER TimeStampReq, returns the DER TimeStampResp; raises Unavailable when the service does not answer.
Timestamper = Callable[[bytes], bytes]

_PATIENCE_SECONDS: Final = 5
# A token with its chain is about 3 KB; more than this is not from us.
_LARGEST_ANSWER: Final = 64 * 1024


def timestamper(settings: Settings) -> Timestamper:
    """Return a function that asks the city's own timestamp unit; it raises Unavailable when there is no answer."""
    address = f"{settings.status_internal_url}/tsa"

    def ask(request_der: bytes) -> bytes:
        # `settings` lets only http and https pass.
        request = Request(  # noqa: S310
            address, data=request_der, headers={"Content-Type": "application/timestamp-query"}, method="POST"
        )
        try:
            with urlopen(request, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310
                return bytes(answer.read(_LARGEST_ANSWER))
        except (URLError, OSError, http.client.HTTPException) as error:
            log.error("timestamp_unavailable", why=type(error).__name__)
            raise Unavailable(_l("The timestamp service does not answer.")) from error

    return ask
