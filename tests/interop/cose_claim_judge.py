"""The second COSE library on documents' claims, run by `.venv-interop/bin/python`: questions in JSON, answers too."""

from __future__ import annotations

import json
import sys

import cbor2
from cwt import COSE, COSEKey


def payload_of(message: bytes, key: COSEKey, context: bytes) -> dict[str, str]:
    """What the library reads in a message that was signed under `context`."""
    try:
        payload = COSE.new(verify_kid=True).decode(cbor2.CBORTag(18, cbor2.loads(message)), key, external_aad=context)
    except Exception as error:  # noqa: BLE001  whatever it says, it is its refusal
        return {"refused": f"{type(error).__name__}: {error}"}
    return {"payload": payload.hex()}


def main() -> None:
    asked = json.load(sys.stdin)
    key = COSEKey.from_pem(asked["public"], alg="ES256", kid=bytes.fromhex(asked["kid"]))
    context = bytes.fromhex(asked["context"])
    answers = []
    for message in map(bytes.fromhex, asked["messages"]):
        answers.append({**payload_of(message, key, context), "without": payload_of(message, key, b"")})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
