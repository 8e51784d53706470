// What a pass says; see pki/passes/claims.py.

import { asArray, asBytes, asMap, asNatural, decode, type Bytes } from "./cbor";
import { PassRejected } from "./faults";

const NBF = 5;
const CTI = 7;
const PRIVATE = -65537;
const MINUTE_MS = 60_000;
// Minutes, meeting, status index, zones, flags, slot.
const BOUNDS = [0xffff, 0xffffffff, 0xffffffff, 0xff, 0x0f, 23];

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
  const values = asArray(claims.get(PRIVATE)).map((value) => asNatural(value));
  const inBounds = values.length === BOUNDS.length && values.every((value, at) => value <= (BOUNDS[at] ?? 0));
  const [validityMinutes = 0, meeting = 0, statusIndex = 0, zones = 0, flags = 0, slot = 0] = values;
  const seconds = asNatural(claims.get(NBF));
  const passId = asBytes(claims.get(CTI));
  if (!inBounds || validityMinutes === 0 || passId.length !== 16) throw new PassRejected("malformed");
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
