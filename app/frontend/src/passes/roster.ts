// The encrypted roster: a guest's record, readable only with their pass in hand; see pki/passes/roster.py.

import { asArray, asBytes, asNatural, asText, decode, type Bytes } from "./cbor";
import { PassRejected } from "./faults";
import { openList, same, type Edition } from "./lists";

const ID_LENGTH = 16;
const INDEX_LENGTH = 8;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const HEAD_LENGTH = INDEX_LENGTH + 1 + NONCE_LENGTH;
const SIZES: readonly number[] = [768, 2304];
const MARK = 0x80;

export const FLAGS = { watch: 1, help: 2, guestOfHonour: 4 } as const;

export interface RosterRecord {
  readonly name: string;
  readonly title: string;
  readonly organisation: string;
  readonly host: string;
  readonly meeting: string;
  readonly room: string;
  readonly seat: string;
  readonly needs: string;
  readonly flags: number;
  /** WebP, or empty. */
  readonly portrait: Bytes;
}

interface Header {
  readonly edition: Edition;
  readonly rosterId: Bytes;
  readonly building: string;
  /** yyyymmdd, in the city's zone. */
  readonly day: number;
  readonly records: number;
  readonly sha256: Bytes;
}

export class Roster {
  private constructor(
    readonly header: Header,
    readonly body: Bytes,
    private readonly places: ReadonlyMap<string, readonly [number, number]>,
  ) {}

  /** Read a roster as it was stored or fetched. Throws PassRejected if the header does not cover the body. */
  static async open(message: Bytes, body: Bytes, trustKey: Bytes, atLeast: number): Promise<Roster> {
    const header = await readHeader(message, trustKey, atLeast);
    const places = split(body);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
    if (places.size !== header.records || !same(digest, header.sha256)) throw new PassRejected("malformed");
    return new Roster(header, body, places);
  }

  /** The body after an update: `removed` are indexes in a row, `entries` records that are new or changed. */
  updated(removed: Bytes, entries: Bytes): Bytes {
    const kept = new Map([...this.places].map(([index, [start, end]]) => [index, this.body.subarray(start, end)]));
    for (let at = 0; at < removed.length; at += INDEX_LENGTH) kept.delete(hex(removed.subarray(at, at + INDEX_LENGTH)));
    for (const [index, [start, end]] of split(entries)) kept.set(index, entries.subarray(start, end));
    const ordered = [...kept].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, record]) => record);
    const body = new Uint8Array(ordered.reduce((size, record) => size + record.length, 0));
    let at = 0;
    for (const record of ordered) {
      body.set(record, at);
      at += record.length;
    }
    return body;
  }

  /** The record of the pass with that secret id, null if it is not on the roster. */
  async find(secret: Bytes): Promise<RosterRecord | null> {
    const source = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits", "deriveKey"]);
    const index = new Uint8Array(
      await crypto.subtle.deriveBits(this.derivation("kyvao roster index v1"), source, 8 * INDEX_LENGTH),
    );
    const place = this.places.get(hex(index));
    if (place === undefined) return null;
    const key = await crypto.subtle.deriveKey(
      this.derivation("kyvao roster record v1"),
      source,
      { name: "AES-GCM", length: 256 },
      false,
      ["decrypt"],
    );
    return readRecord(await this.unsealed(this.body.slice(...place), key));
  }

  private derivation(label: string): HkdfParams {
    return { name: "HKDF", hash: "SHA-256", salt: this.header.rosterId, info: new TextEncoder().encode(label) };
  }

  private async unsealed(record: Bytes, key: CryptoKey): Promise<Bytes> {
    const bound = new Uint8Array([...this.header.rosterId, ...record.subarray(0, INDEX_LENGTH + 1)]);
    const iv = record.slice(INDEX_LENGTH + 1, HEAD_LENGTH);
    try {
      const padded = await crypto.subtle.decrypt(
        { name: "AES-GCM", iv, additionalData: bound },
        key,
        record.slice(HEAD_LENGTH),
      );
      return new Uint8Array(padded);
    } catch {
      throw new PassRejected("malformed");
    }
  }
}

async function readHeader(message: Bytes, trustKey: Bytes, atLeast: number): Promise<Header> {
  const { edition, body } = await openList("roster", message, trustKey, atLeast);
  const parts = asArray(body);
  const [rosterId, building, day, records, sha256] = parts;
  if (parts.length !== 5 || asBytes(rosterId).length !== ID_LENGTH) throw new PassRejected("malformed");
  return {
    edition,
    rosterId: asBytes(rosterId),
    building: asText(building),
    day: asNatural(day),
    records: asNatural(records),
    sha256: asBytes(sha256),
  };
}

/** Where each record begins and ends, by index; they must be in order. */
function split(body: Bytes): Map<string, readonly [number, number]> {
  const found = new Map<string, readonly [number, number]>();
  let before = "";
  for (let at = 0; at < body.length; ) {
    const index = hex(body.subarray(at, at + INDEX_LENGTH));
    const size = SIZES[body[at + INDEX_LENGTH] ?? SIZES.length];
    const end = at + HEAD_LENGTH + (size ?? 0) + TAG_LENGTH;
    if (size === undefined || index <= before || end > body.length) throw new PassRejected("malformed");
    found.set(index, [at, end]);
    before = index;
    at = end;
  }
  return found;
}

function readRecord(padded: Bytes): RosterRecord {
  const parts = asArray(decode(padded.slice(0, Math.max(0, padded.lastIndexOf(MARK)))));
  if (parts.length !== 10) throw new PassRejected("malformed");
  const [name, title, organisation, host, meeting, room, seat, needs] = parts.slice(0, 8).map((one) => asText(one));
  return {
    name: name ?? "",
    title: title ?? "",
    organisation: organisation ?? "",
    host: host ?? "",
    meeting: meeting ?? "",
    room: room ?? "",
    seat: seat ?? "",
    needs: needs ?? "",
    flags: asNatural(parts[8]),
    portrait: asBytes(parts[9]),
  };
}

function hex(bytes: Bytes): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
