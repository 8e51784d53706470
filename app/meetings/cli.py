"""`kyvao pass`: read a pass without the web and without a database."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import click
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from pki.errors import PassRejected
from pki.passes import claims as pass_claims
from pki.passes import digits as pass_digits
from pki.passes.claims import PassClaims
from pki.passes.decision import CITY_ZONE
from pki.passes.faults import PassFault

# Exit codes, as of `kyvao pdf verify`.
_NOT_VALID: Final = 1
_UNREADABLE: Final = 2

_SENTENCES: Final = {
    PassFault.NOT_OURS: "This is not a pass of the city. A pass is a row of digits that begins with 79.",
    PassFault.MALFORMED: "The pass is damaged or incomplete. Scan the code again.",
    PassFault.BAD_SIGNATURE: "The pass was not signed with this key. Try the key of the agency that invited.",
}


@click.group("pass")
def pass_group() -> None:
    """Read the pass in a QR code."""


@pass_group.command("decode")
@click.argument("digits")
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Public key or certificate of the pass signer, PEM.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.pass_context
def decode(ctx: click.Context, digits: str, key_file: Path, as_json: bool) -> None:
    """Check the signature of a pass and show what it says.

    DIGITS is the content of the QR code; - reads it from standard input. Whether the pass was withdrawn or used is
    known to the service alone. Exit code 0: the signature holds; 1: it does not; 2: this is no pass, or no key.
    """
    public_key = _read_key(key_file)
    text = sys.stdin.read() if digits == "-" else digits
    try:
        claims = pass_claims.verify(pass_digits.decode(text.strip()), public_key)
    except PassRejected as rejected:
        fault = PassFault(rejected.fault)
        answer = json.dumps({"valid": False, "fault": fault}) if as_json else _SENTENCES[fault]
        click.echo(answer, err=not as_json)
        ctx.exit(_NOT_VALID if fault is PassFault.BAD_SIGNATURE else _UNREADABLE)
    click.echo(json.dumps({"valid": True, **_facts(claims)}) if as_json else _table(claims))


def _read_key(path: Path) -> ec.EllipticCurvePublicKey:
    pem = path.read_bytes()
    try:
        certified = b"BEGIN CERTIFICATE" in pem
        key = x509.load_pem_x509_certificate(pem).public_key() if certified else load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise click.UsageError(f"{path} holds neither a public key nor a certificate in PEM.") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise click.UsageError(f"{path} holds no P-256 key; passes are signed with P-256.")
    return key


def _facts(claims: PassClaims) -> dict[str, str | int]:
    # The secret id is left out: who has the digits has it, and an answer may end up in a log.
    return {
        "meeting": claims.meeting,
        "not_before": claims.not_before.isoformat(),
        "not_after": claims.not_after.isoformat(),
        "status_index": claims.status_index,
        "zones": claims.zones,
        "flags": int(claims.flags),
        "slot": claims.slot,
    }


def _table(claims: PassClaims) -> str:
    local = {
        "not_before": f"{claims.not_before.astimezone(CITY_ZONE):%d/%m/%Y %H:%M}",
        "not_after": f"{claims.not_after.astimezone(CITY_ZONE):%d/%m/%Y %H:%M}",
    }
    rows = ["The signature holds.", *(f"{name:13} {value}" for name, value in {**_facts(claims), **local}.items())]
    return "\n".join(rows)
