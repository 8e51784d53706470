// COSE_Sign1 with ES256, in the one form that we write (RFC 9052); see pki/passes/cose.py.

import { asArray, asBytes, asMap, asNumber, decode, head, type Bytes } from "./cbor";
import { PassRejected } from "./faults";

const ES256 = -7;
const KID_LENGTH = 4;
const SIGNATURE_LENGTH = 64;

export interface Signed {
  readonly kid: Bytes;
  readonly protected: Bytes;
  readonly payload: Bytes;
  readonly signature: Bytes;
}

export function parseSigned(message: Bytes): Signed {
  const parts = asArray(decode(message));
  const [protectedHeader, unprotected, payload, signature] = parts;
  if (parts.length !== 4 || asMap(unprotected).size !== 0) throw new PassRejected("malformed");
  const header = asMap(decode(asBytes(protectedHeader)));
  const signed = {
    kid: asBytes(header.get(4)),
    protected: asBytes(protectedHeader),
    payload: asBytes(payload),
    signature: asBytes(signature),
  };
  const known = header.size === 2 && [...header.keys()].join() === "1,4" && asNumber(header.get(1)) === ES256;
  if (!known || signed.kid.length !== KID_LENGTH || signed.signature.length !== SIGNATURE_LENGTH) {
    throw new PassRejected("malformed");
  }
  return signed;
}

/** Say whether the signature is that of the key in this SubjectPublicKeyInfo; an unreadable key holds nothing. */
export async function holds(signed: Signed, spki: Bytes): Promise<boolean> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  try {
    const key = await crypto.subtle.importKey("spki", spki, algorithm, false, ["verify"]);
    return await crypto.subtle.verify(algorithm, key, signed.signature, toBeSigned(signed));
  } catch {
    return false;
  }
}

function toBeSigned(signed: Signed): Bytes {
  return Uint8Array.from([
    ...head(4, 4),
    ...head(3, "Signature1".length),
    ...new TextEncoder().encode("Signature1"),
    ...head(2, signed.protected.length),
    ...signed.protected,
    ...head(2, 0),
    ...head(2, signed.payload.length),
    ...signed.payload,
  ]);
}
