// What a pass says; see pki/passes/claims.py.

import { asArray, asBytes, asMap, asNumber, decode, type Bytes } from "./cbor";
import { PassRejected } from "./faults";

const NBF = 5;
const CTI = 7;
const PRIVATE = -65537;
const MINUTE_MS = 60_000;
const BOUNDS = [0xffff, 0xffffffff, 0xffffffff, 0xff, 3, 23] as const;

export interface PassClaims {
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly validityMinutes: number;
  readonly passId: Bytes;
  readonly meeting: number;
  readonly statusIndex: number;
  readonly zones: number;
  readonly flags: number;
  readonly slot: number;
}

export function decodeClaims(payload: Bytes): PassClaims {
  const claims = asMap(decode(payload));
  if ([...claims.keys()].join() !== `${NBF},${CTI},${PRIVATE}`) throw new PassRejected("malformed");
  const values = asArray(claims.get(PRIVATE)).map((value) => asNumber(value));
  const inBounds = values.length === BOUNDS.length && BOUNDS.every((bound, at) => within(values[at], bound));
  const [validityMinutes = 0, meeting = 0, statusIndex = 0, zones = 0, flags = 0, slot = 0] = values;
  const seconds = asNumber(claims.get(NBF));
  const passId = asBytes(claims.get(CTI));
  if (!inBounds || validityMinutes === 0 || seconds < 0 || passId.length !== 16) throw new PassRejected("malformed");
  return {
    notBefore: new Date(seconds * 1000),
    notAfter: new Date(seconds * 1000 + validityMinutes * MINUTE_MS),
    validityMinutes,
    passId,
    meeting,
    statusIndex,
    zones,
    flags,
    slot,
  };
}

function within(value: number | undefined, bound: number): boolean {
  return value !== undefined && value >= 0 && value <= bound;
}
