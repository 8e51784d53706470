// COSE_Sign1 with ES256, in the one form that we write (RFC 9052); see pki/passes/cose.py.

import { asArray, asBytes, asMap, decode, head, type Bytes } from "./cbor";
import { PassRejected } from "./faults";

/** The only algorithm that we write (RFC 9053, 2.1). */
export const ES256 = -7;
export const KID_LENGTH = 4;
const SIGNATURE_LENGTH = 64;
// Ours, never that of a message's header.
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

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
  const known = header.size === 2 && [...header.keys()].join() === "1,4" && header.get(1) === ES256;
  if (!known || signed.kid.length !== KID_LENGTH || signed.signature.length !== SIGNATURE_LENGTH) {
    throw new PassRejected("malformed");
  }
  return signed;
}

/**
 * Say whether the key in this SubjectPublicKeyInfo signed it, for this context (COSE's external_aad); an unreadable key
 * holds nothing.
 */
export async function holds(signed: Signed, spki: Bytes, context: Bytes = new Uint8Array()): Promise<boolean> {
  try {
    return await crypto.subtle.verify(ALGORITHM, await importKey(spki), signed.signature, toBeSigned(signed, context));
  } catch {
    return false;
  }
}

/** Say whether this is the SubjectPublicKeyInfo of a key on P-256. */
export async function isKey(spki: Bytes): Promise<boolean> {
  return importKey(spki).then(
    () => true,
    () => false,
  );
}

function importKey(spki: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("spki", spki, ALGORITHM, false, ["verify"]);
}

function toBeSigned(signed: Signed, context: Bytes): Bytes {
  return Uint8Array.from([
    ...head(4, 4),
    ...head(3, "Signature1".length),
    ...new TextEncoder().encode("Signature1"),
    ...head(2, signed.protected.length),
    ...signed.protected,
    ...head(2, context.length),
    ...context,
    ...head(2, signed.payload.length),
    ...signed.payload,
  ]);
}
