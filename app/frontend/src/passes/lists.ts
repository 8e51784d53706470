// The signed trust list and status list; see pki/passes/{signed_list,trust_list,status}.py.

import { asArray, asBytes, asMap, asNatural, asText, decode, type Bytes, type Cbor } from "./cbor";
import { type PassClaims, decodeClaims } from "./claims";
import { ES256, holds, isKey, KID_LENGTH, parseSigned } from "./cose";
import { PassRejected } from "./faults";

const CAPACITY = 1 << 20;
const PER_BYTE = 4;
const ROW_LENGTH = 10;

export type PassStatus = "valid" | "withdrawn" | "suspended" | "changed";
const STATUSES: readonly PassStatus[] = ["valid", "withdrawn", "suspended", "changed"];

export interface Edition {
  readonly version: number;
  readonly issued: Date;
  readonly nextUpdate: Date;
}

export interface Signer {
  readonly kid: Bytes;
  readonly spki: Bytes;
  readonly agencyCode: string;
  readonly agencyName: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly buildings: readonly string[];
  readonly longestMinutes: number;
  /** Bit set of the zones it may invite to. */
  readonly zones: number;
}

export class TrustList {
  constructor(
    readonly edition: Edition,
    readonly signers: readonly Signer[],
  ) {}

  static async verify(message: Bytes, trustKey: Bytes, atLeast: number): Promise<TrustList> {
    const { edition, body } = await openList("trust", message, trustKey, atLeast);
    const rows = asArray(body).map((row) => asArray(row));
    if (rows.some((row) => row.length !== ROW_LENGTH)) throw new PassRejected("malformed");
    // A signer with an algorithm that this reader does not know is as good as not listed.
    return new TrustList(edition, await Promise.all(rows.filter((row) => row[1] === ES256).map(readSigner)));
  }

  /** The claims of a pass and who signed it; nothing is read from the claims before the signature holds. */
  async verifyPass(token: Bytes, now: Date): Promise<{ claims: PassClaims; signer: Signer }> {
    const signed = parseSigned(token);
    const named = this.signers.filter((signer) => same(signer.kid, signed.kid));
    if (named.length === 0) throw new PassRejected("unknown_key");
    for (const signer of named) {
      if (!(await holds(signed, signer.spki))) continue;
      if (now < signer.notBefore || now > signer.notAfter) throw new PassRejected("key_not_current");
      const claims = decodeClaims(signed.payload);
      if (claims.validityMinutes > signer.longestMinutes) throw new PassRejected("too_long_validity");
      return { claims, signer };
    }
    throw new PassRejected("bad_signature");
  }
}

export class StatusList {
  constructor(
    readonly edition: Edition,
    private readonly bits: Bytes,
  ) {}

  static async verify(message: Bytes, trustKey: Bytes, atLeast: number): Promise<StatusList> {
    const { edition, body } = await openList("status", message, trustKey, atLeast);
    return new StatusList(edition, await inflate(asBytes(body)));
  }

  lookUp(index: number): PassStatus {
    const byte = this.bits[Math.floor(index / PER_BYTE)];
    const status = byte === undefined ? undefined : STATUSES[(byte >> (2 * (index % PER_BYTE))) & 3];
    if (status === undefined) throw new PassRejected("malformed");
    return status;
  }
}

/** Open a signed list of that kind. */
export async function openList(
  kind: string,
  message: Bytes,
  trustKey: Bytes,
  atLeast: number,
): Promise<{ edition: Edition; body: Cbor | undefined }> {
  const signed = parseSigned(message);
  if (!(await holds(signed, trustKey))) throw new PassRejected("bad_signature");
  const found = asMap(decode(signed.payload));
  const naming = asArray(found.get(1));
  const [named, version] = naming;
  const known = naming.length === 2 && [...found.keys()].join() === "1,2,3,4";
  if (asText(named) !== kind || !known) throw new PassRejected("malformed");
  const edition = {
    version: asNatural(version),
    issued: new Date(asNatural(found.get(2)) * 1000),
    nextUpdate: new Date(asNatural(found.get(3)) * 1000),
  };
  if (edition.version < atLeast) throw new PassRejected("rollback");
  return { edition, body: found.get(4) };
}

async function readSigner(row: readonly Cbor[]): Promise<Signer> {
  const [kid, , spki, code, name, notBefore, notAfter, buildings, zones, minutes] = row;
  // A key that cannot be used is found here, not when the first guest stands at the gate.
  if (asBytes(kid).length !== KID_LENGTH || !(await isKey(asBytes(spki)))) throw new PassRejected("malformed");
  return {
    kid: asBytes(kid),
    spki: asBytes(spki),
    agencyCode: asText(code),
    agencyName: asText(name),
    notBefore: new Date(asNatural(notBefore) * 1000),
    notAfter: new Date(asNatural(notAfter) * 1000),
    buildings: asArray(buildings).map((one) => asText(one)),
    longestMinutes: asNatural(minutes),
    zones: asNatural(zones),
  };
}

async function inflate(packed: Bytes): Promise<Bytes> {
  let bits: Bytes;
  try {
    // Of bytes after the packed ones browsers make an error and Node 20 nothing; they are signed, so nothing hangs on it.
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    bits = new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new PassRejected("malformed");
  }
  if (bits.length !== CAPACITY / PER_BYTE) throw new PassRejected("malformed");
  return bits;
}

export function same(one: Bytes, other: Bytes): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
