// A code that changes every half minute; see pki/passes/rotating.py.

import type { Bytes } from "./cbor";
import { decodeDigits, encodeDigits } from "./digits";
import { PassRejected } from "./faults";
import { same } from "./lists";

const CODE_LENGTH = 6;
export const STEP_MS = 30_000;
const AROUND = 1;
const ROTATING = "3";

/** The key of one pass for one day. */
export async function passKey(dayKey: Bytes, secret: Bytes): Promise<Bytes> {
  const source = await crypto.subtle.importKey("raw", dayKey, "HKDF", false, ["deriveBits"]);
  const info = new TextEncoder().encode("kyvao rotating pass v1");
  return new Uint8Array(
    await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: secret, info }, source, 256),
  );
}

/** What the guest's page shows in the half minute of `now`. */
export async function show(token: Bytes, key: Bytes, now: Date): Promise<string> {
  return encodeDigits(new Uint8Array([...token, ...(await codeAt(key, stepOf(now)))]), ROTATING);
}

/** The pass in the digits, and its code; null where the digits do not change. */
export function split(text: string): { readonly token: Bytes; readonly code: Bytes | null } {
  if (text[2] !== ROTATING) return { token: decodeDigits(text), code: null };
  const both = decodeDigits(text, ROTATING);
  if (both.length <= CODE_LENGTH) throw new PassRejected("malformed");
  return { token: both.slice(0, -CODE_LENGTH), code: both.slice(-CODE_LENGTH) };
}

/** Whether the code is that of now, or of the half minutes around it. */
export async function isFresh(code: Bytes | null, key: Bytes, now: Date): Promise<boolean> {
  if (code === null) return false;
  const step = stepOf(now);
  for (let away = -AROUND; away <= AROUND; away++) {
    if (same(code, await codeAt(key, step + away))) return true;
  }
  return false;
}

function stepOf(now: Date): number {
  return Math.floor(now.getTime() / STEP_MS);
}

async function codeAt(key: Bytes, step: number): Promise<Bytes> {
  const signing = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const number = new DataView(new ArrayBuffer(8));
  number.setBigInt64(0, BigInt(step));
  return new Uint8Array(await crypto.subtle.sign("HMAC", signing, number.buffer)).slice(0, CODE_LENGTH);
}
