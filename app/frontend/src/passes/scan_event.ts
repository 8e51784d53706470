// One entry of the tablet's log of scans: chained by hash, signed by its key; see pki/passes/scan_event.py.

import { head, type Bytes } from "./cbor";
import type { Outcome, Reason } from "./decision";

export const NO_PREVIOUS: Bytes = new Uint8Array(32);
// Codes of the wire; only ever added to at the end.
const OUTCOMES: readonly Outcome[] = ["admit", "refuse", "look_again"];
const REASONS: readonly Reason[] = [
  "admitted",
  "already_admitted",
  "not_ours",
  "forged",
  "unknown_key",
  "agency_key_ended",
  "withdrawn",
  "suspended",
  "changed",
  "wrong_building",
  "wrong_zone",
  "wrong_day",
  "too_early",
  "too_late",
  "stale_lists",
  "no_network",
  "no_lease",
  "leased_elsewhere",
  "admitted_unconfirmed",
  "readmitted",
  "checked_out",
  "old_code",
];

export function isReason(value: unknown): value is Reason {
  return REASONS.some((reason) => reason === value);
}

export const DIRECTION = { in: 0, out: 1 } as const;
export const FACE = { match: 0, mismatch: 1, unclear: 2 } as const;
export const FLAGS = { override: 1, manual: 2, kiosk: 4, boot: 8, leasesTaken: 16, face: 32, closed: 64 } as const;

export interface ScanEvent {
  /** 16 bytes. */
  readonly deviceId: Bytes;
  /** Counts from 1 without a gap. */
  readonly seq: number;
  /** SHA-256 of the bytes of the entry before; NO_PREVIOUS for the first. */
  readonly previous: Bytes;
  readonly bootId: Bytes;
  /** Milliseconds since 1970, and a counter of 16 bits; see `tick`. */
  readonly hlc: bigint;
  readonly monotonicMs: number;
  readonly trustVersion: number;
  readonly statusVersion: number;
  readonly rosterVersion: number;
  readonly commitment: Bytes;
  readonly checkpointId: Bytes;
  readonly direction: 0 | 1;
  readonly outcome: Outcome;
  readonly reason: Reason;
  readonly slot: number;
  readonly leaseEpoch: number | null;
  readonly flags: number;
  readonly refersTo: Bytes | null;
  readonly face: 0 | 1 | 2 | null;
}

/** The canonical bytes (RFC 8949, 4.2). */
export function encodeEvent(event: ScanEvent): Bytes {
  const clock = new Uint8Array(8);
  new DataView(clock.buffer).setBigUint64(0, event.hlc);
  const content: readonly (number | Bytes | null)[] = [
    event.deviceId,
    event.seq,
    event.previous,
    event.bootId,
    clock,
    Math.floor(event.monotonicMs),
    event.trustVersion,
    event.statusVersion,
    event.rosterVersion,
    event.commitment,
    event.checkpointId,
    event.direction,
    OUTCOMES.indexOf(event.outcome),
    REASONS.indexOf(event.reason),
    event.slot,
    event.leaseEpoch,
    event.flags,
    event.refersTo,
    event.face,
  ];
  const written = content.flatMap((value, at) => (value === null ? [] : [[at + 1, ...encode(value)]]));
  return Uint8Array.from([...head(5, written.length), ...written.flat()]);
}

/** The name of a tablet's entry, as a UUID of version 8. */
export async function scanId(deviceId: Bytes, seq: number): Promise<string> {
  const digest = await sha256(Uint8Array.from([...deviceId, ...word(seq)]));
  const named = digest.slice(0, 16);
  named[6] = ((named[6] ?? 0) & 0x0f) | 0x80;
  named[8] = ((named[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(named, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** What stands for the pass in an entry; null where no pass was read. */
export async function commitment(salt: Bytes, secret: Bytes | null): Promise<Bytes> {
  const inner = secret === null ? new Uint8Array(32) : await sha256(secret);
  return sha256(Uint8Array.from([...salt, ...inner]));
}

/** r ‖ s over the bytes of an entry. */
export async function signEvent(data: Bytes, key: CryptoKey): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, data));
}

export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

/** The next value of the hybrid clock: a clock that is set back cannot put a later scan before an earlier one. */
export function tick(last: bigint, wallMs: number): bigint {
  const wall = BigInt(Math.floor(wallMs)) << 16n;
  return last + 1n > wall ? last + 1n : wall;
}

function encode(value: number | Bytes): readonly number[] {
  return typeof value === "number" ? head(0, value) : [...head(2, value.length), ...value];
}

function word(value: number): readonly number[] {
  return [value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff];
}
