"""DKIM: the house's own signature over a letter's headers and body, so that servers believe the sender (RFC 6376).

RSA-SHA256 and relaxed/relaxed: what every receiver checks and what survives the rewriting that relays do.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from app.core.settings import Settings

# `from` twice: a second one, put before ours on the way, breaks the signature (RFC 6376, 5.4).
_SIGNED: Final[tuple[str, ...]] = (
    "from", "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "auto-submitted",
)  # fmt: skip
_SPACES: Final = re.compile(rb"[ \t]+")
_FOLD: Final = "\r\n\t"
_LINE: Final = 70


@dataclass(frozen=True)
class Signer:
    """A key, and where receivers find its public half: `<selector>._domainkey.<domain>`."""

    key: rsa.RSAPrivateKey
    selector: str
    domain: str


def signer_of(settings: Settings) -> Signer | None:
    """Return the signer that the settings name; None without one. Raises OSError, ValueError for a key that is none."""
    if settings.dkim_key is None:
        return None
    return Signer(_key(settings.dkim_key), settings.dkim_selector, settings.mail_from.rpartition("@")[2])


def sign(message: bytes, signer: Signer, *, now: datetime) -> bytes:
    """Return the message with a DKIM-Signature before it. Its lines end in CRLF."""
    head, _, body = message.partition(b"\r\n\r\n")
    fields = _fields(head + b"\r\n")
    present = {name for name, _ in fields}
    names = [name for name in _SIGNED if name in present]
    digest = base64.b64encode(hashlib.sha256(_body(body)).digest()).decode()
    tags = (
        "v=1", "a=rsa-sha256", "c=relaxed/relaxed", f"d={signer.domain}", f"s={signer.selector}",
        f"t={int(now.timestamp())}", f"h={':'.join(names)}", f"bh={digest}", "b=",
    )  # fmt: skip
    unsigned = f"DKIM-Signature: {f';{_FOLD}'.join(tags)}"
    signed = _chosen(fields, names) + _relaxed(b"dkim-signature", unsigned.partition(":")[2].encode())[:-2]
    value = base64.b64encode(signer.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())).decode()
    folded = _FOLD.join(value[at : at + _LINE] for at in range(0, len(value), _LINE))
    return f"{unsigned}{folded}\r\n".encode() + message


def dns_record(signer: Signer) -> str:
    """Return the text of the DNS record that receivers look up."""
    der = signer.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"


def _fields(head: bytes) -> list[tuple[str, bytes]]:
    """Return the header fields in order: name in lower case, and the value with its folds."""
    lines = re.split(rb"\r\n(?![ \t])", head.removesuffix(b"\r\n"))
    parts = (line.partition(b":") for line in lines)
    return [(name.strip().lower().decode("ascii", "replace"), value) for name, _, value in parts]


def _chosen(fields: list[tuple[str, bytes]], names: list[str]) -> bytes:
    """Return the named fields as they are signed: of several the last first, an absent one as nothing (5.4.2)."""
    left = {name: [value for one, value in fields if one == name] for name in names}
    return b"".join(_relaxed(name.encode(), left[name].pop()) for name in names if left[name])


def _relaxed(name: bytes, value: bytes) -> bytes:
    return name + b":" + _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip() + b"\r\n"


def _body(body: bytes) -> bytes:
    lines = [_SPACES.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    text = b"\r\n".join(lines).rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


@lru_cache(maxsize=4)
def _key(path: Path) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("the key for DKIM must be RSA")
    return key
