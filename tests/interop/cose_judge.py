"""The second COSE library, run by `.venv-interop/bin/python`: questions in JSON on its input, answers on its output."""

from __future__ import annotations

import json
import sys

import cbor2
from cwt import COSE, COSEKey


def verified(message: bytes, key_pem: str, kid: bytes) -> dict[str, object]:
    """What the library reads in a message of ours."""
    key = COSEKey.from_pem(key_pem, alg="ES256", kid=kid)
    try:
        payload = COSE.new(verify_kid=True).decode(cbor2.CBORTag(18, cbor2.loads(message)), key)
    except Exception as error:  # noqa: BLE001  whatever it says, it is its refusal
        return {"refused": f"{type(error).__name__}: {error}"}
    claims = cbor2.loads(payload)
    return {"nbf": claims[5], "cti": claims[7].hex(), "private": claims[-65537]}


def signed(payload: bytes, key_pem: str, kid: bytes) -> str:
    """A message of the library's own making, untagged."""
    key = COSEKey.from_pem(key_pem, alg="ES256", kid=kid)
    message = COSE.new().encode_and_sign(payload, key, protected={1: -7, 4: kid}, out="cbor2/CBORTag")
    return cbor2.dumps(message.value).hex()


asked = json.load(sys.stdin)
name = bytes.fromhex(asked["kid"])
print(
    json.dumps(
        {
            "verified": [verified(bytes.fromhex(one), asked["public"], name) for one in asked["messages"]],
            "signed": signed(bytes.fromhex(asked["payload"]), asked["private"], name),
        }
    )
)
