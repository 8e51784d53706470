"""Handing one message to a mail server."""

from __future__ import annotations

import smtplib
import ssl
from typing import Final
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS: Final = 20
_FINAL: Final = 500


def deliver(smtp_url: str, sender: str, recipient: str, mime: bytes) -> None:
    """Send; returns when the server has taken the message. Raises OSError or smtplib.SMTPException.

    `smtps://` is TLS from the first byte; with `smtp://` TLS is used wherever the server offers it.
    """
    parts = urlsplit(smtp_url)
    host = parts.hostname or "localhost"
    client: smtplib.SMTP
    if parts.scheme == "smtps":
        client = smtplib.SMTP_SSL(
            host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    else:
        client = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_SECONDS)
    with client:
        client.ehlo_or_helo_if_needed()
        encrypted = parts.scheme == "smtps"
        if parts.scheme == "smtp" and client.has_extn("starttls"):
            client.starttls(context=ssl.create_default_context())
            client.ehlo()
            encrypted = True
        if parts.username and not encrypted:
            # A line in between could have removed the offer of TLS to read the password.
            raise smtplib.SMTPNotSupportedError("no TLS, so no password is sent")
        if parts.username:
            client.login(unquote(parts.username), unquote(parts.password or ""))
        # The stored bytes as they are, so that what the outbox shows is what went out.
        client.sendmail(sender, [recipient], mime)


def is_final(error: OSError | smtplib.SMTPException) -> bool:
    """Say whether the server refused this address or this letter for good (RFC 5321, 4.2.1): trying again is no use."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= _FINAL for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= _FINAL
