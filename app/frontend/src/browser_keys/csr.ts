// A PKCS#10 request for a key that never leaves the browser, carrying the server's challenge so that nobody else can
// send it as theirs (RFC 2986; challengePassword of RFC 2985, 5.4.1).

import { bitString, element, integer, oid, sequence, set, utf8String, type Bytes } from "./der";

const COMMON_NAME = "2.5.4.3";
const CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7";
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const HALF = 32;

/** Sign with the key: data in, r and s of 32 bytes each out. */
export type Sign = (data: Bytes) => Promise<Bytes>;

/** Return the request in DER. Its subject says nothing: the certificate says what the registry says. */
export async function certificationRequest(spki: Bytes, challenge: string, sign: Sign): Promise<Bytes> {
  const subject = sequence(set(sequence(oid(COMMON_NAME), utf8String("Ky Vao"))));
  const attributes = element(0xa0, sequence(oid(CHALLENGE_PASSWORD), set(utf8String(challenge))));
  const info = sequence(integer(Uint8Array.from([0])), subject, spki, attributes);
  const signature = signatureToDer(await sign(info));
  return sequence(info, sequence(oid(ECDSA_WITH_SHA256)), bitString(signature));
}

/** WebCrypto gives r and s side by side; X.509 wants an ECDSA-Sig-Value (RFC 3279, 2.2.3). */
export function signatureToDer(raw: Bytes): Bytes {
  if (raw.length !== 2 * HALF) throw new RangeError("a P-256 signature has 64 bytes");
  return sequence(integer(raw.slice(0, HALF)), integer(raw.slice(HALF)));
}
