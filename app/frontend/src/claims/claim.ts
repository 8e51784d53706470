// The claim in a document's code and the keys that may sign it; see pki/document_claim.py.

import { asArray, asBytes, asNatural, asText, decode, type Bytes, type Cbor } from "../passes/cbor";
import { ES256, holds, isKey, KID_LENGTH, parseSigned } from "../passes/cose";
import { decodeDigits } from "../passes/digits";
import { PassRejected } from "../passes/faults";
import { openList, same, type Edition } from "../passes/lists";

const CONTEXT: Bytes = new TextEncoder().encode("kyvao document claim 1");
const CLAIM_ID_LENGTH = 8;
const DIGEST_LENGTH = 32;
const LONGEST_NUMBER = 48;
const LAST_DAY = 0xffff;
const DAY_MS = 86_400_000;
/** A document's date is a day of the city, seven hours before that of UTC ends. */
const CITY_MS = 7 * 3_600_000;
const ROW_LENGTH = 8;

const CLASSES = ["public", "restricted", "hidden"] as const;
export type DocumentClass = (typeof CLASSES)[number];

export interface DocumentClaim {
  readonly claimId: string;
  readonly number: string;
  /** Days since 1970-01-01. */
  readonly day: number;
  /** SHA-256 of the revision that the head signed, in hex. */
  readonly digest: string;
  /** Bytes of that revision. */
  readonly size: number;
  readonly documentClass: DocumentClass;
}

export interface ClaimSigner {
  readonly kid: Bytes;
  readonly spki: Bytes;
  readonly agencyCode: string;
  readonly agencyName: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly compromised: boolean;
}

export class ClaimKeys {
  private constructor(
    readonly edition: Edition,
    readonly signers: readonly ClaimSigner[],
  ) {}

  static async verify(message: Bytes, listKey: Bytes, atLeast: number): Promise<ClaimKeys> {
    const { edition, body } = await openList("claims", message, listKey, atLeast);
    const rows = asArray(body).map((row) => asArray(row));
    if (rows.some((row) => row.length !== ROW_LENGTH)) throw new PassRejected("malformed");
    return new ClaimKeys(edition, await Promise.all(rows.filter((row) => row[1] === ES256).map(readSigner)));
  }

  /** The claim of a code and who signed it; nothing is read before the signature holds. */
  async read(digits: string): Promise<{ claim: DocumentClaim; signer: ClaimSigner }> {
    const signed = parseSigned(decodeDigits(digits, "2"));
    const named = this.signers.filter((signer) => same(signer.kid, signed.kid));
    if (named.length === 0) throw new PassRejected("unknown_key");
    for (const signer of named) {
      if (!(await holds(signed, signer.spki, CONTEXT))) continue;
      const claim = decodeClaim(signed.payload);
      if (signer.compromised || !covers(signer, claim.day)) throw new PassRejected("key_not_current");
      return { claim, signer };
    }
    throw new PassRejected("bad_signature");
  }
}

export function decodeClaim(payload: Bytes): DocumentClaim {
  const parts = asArray(decode(payload));
  const [claimId, number, day, digest, size, classNumber] = parts;
  const documentClass = CLASSES[asNatural(classNumber)];
  const claim = {
    claimId: toHex(asBytes(claimId)),
    number: asText(number),
    day: asNatural(day),
    digest: toHex(asBytes(digest)),
    size: asNatural(size),
  };
  const lengths = claim.claimId.length === 2 * CLAIM_ID_LENGTH && claim.digest.length === 2 * DIGEST_LENGTH;
  const inBounds = claim.day <= LAST_DAY && claim.size > 0 && isNumber(claim.number);
  if (parts.length !== 6 || documentClass === undefined || !lengths || !inBounds) throw new PassRejected("malformed");
  return { ...claim, documentClass };
}

/** Say whether some moment of that day in the city lies within the key's time. */
function covers(signer: ClaimSigner, day: number): boolean {
  const begins = day * DAY_MS - CITY_MS;
  return signer.notBefore < begins + DAY_MS && begins <= signer.notAfter;
}

function isNumber(number: string): boolean {
  const length = new TextEncoder().encode(number).length;
  const plain = number === number.normalize("NFC").trim() && !/\p{C}/u.test(number);
  return plain && length > 0 && length <= LONGEST_NUMBER;
}

export function toHex(data: Bytes): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function readSigner(row: readonly Cbor[]): Promise<ClaimSigner> {
  const [kid, , spki, code, name, notBefore, notAfter, compromised] = row;
  if (asBytes(kid).length !== KID_LENGTH || !(await isKey(asBytes(spki)))) throw new PassRejected("malformed");
  return {
    kid: asBytes(kid),
    spki: asBytes(spki),
    agencyCode: asText(code),
    agencyName: asText(name),
    notBefore: asNatural(notBefore) * 1000,
    notAfter: asNatural(notAfter) * 1000,
    compromised: asNatural(compromised) !== 0,
  };
}
