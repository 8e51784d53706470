// The digits of a QR code and the bytes they stand for; see pki/passes/digits.py.

import type { Bytes } from "./cbor";
import { PassRejected } from "./faults";

const PREFIX = "79";
/** What the bytes are, and how many there may be: a pass, the claim on a document, a pass with a changing code. */
const LONGEST = { "1": 128, "2": 192, "3": 134 };
export type Form = keyof typeof LONGEST;

const SIZE_OF = new Map(
  Array.from({ length: LONGEST["2"] }, (_, before) => [Math.ceil((before + 1) * 8 * Math.log10(2)), before + 1] as const),
);

export function encodeDigits(bytes: Bytes, form: Form = "1"): string {
  if (bytes.length === 0 || bytes.length > LONGEST[form]) throw new PassRejected("malformed");
  const number = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return PREFIX + form + number.toString().padStart(Math.ceil(bytes.length * 8 * Math.log10(2)), "0");
}

export function decodeDigits(digits: string, form: Form = "1"): Bytes {
  if (!digits.startsWith(PREFIX) || !/^[0-9]+$/.test(digits)) throw new PassRejected("not_ours");
  const body = digits.slice(PREFIX.length + 1);
  const size = SIZE_OF.get(body.length);
  if (digits[PREFIX.length] !== form || size === undefined || size > LONGEST[form]) throw new PassRejected("malformed");
  let number = BigInt(body);
  const bytes = new Uint8Array(size);
  for (let at = size - 1; at >= 0; at--) {
    bytes[at] = Number(number & 0xffn);
    number >>= 8n;
  }
  if (number !== 0n) throw new PassRejected("malformed");
  return bytes;
}
