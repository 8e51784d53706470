import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decode, type Bytes } from "./cbor";
import { decide, refuseFault, type Verdict } from "./decision";
import { decodeDigits } from "./digits";
import { PassRejected, type PassFault } from "./faults";
import { StatusList, TrustList } from "./lists";

interface Case {
  name: string;
  digits: string;
  outcome: string;
  reason: string;
  now: string;
  building: string;
  zone: number;
  meeting_building: string | null;
  earlier: { at: string; place: string } | null;
}

interface Reading {
  name: string;
  fault: PassFault | null;
}

interface Vectors {
  trust_key: string;
  stranger_key: string;
  trust_list: string;
  status_list: string;
  version: number;
  cases: Case[];
  readings: (Reading & { hex: string })[];
  claims: (Reading & { digits: string })[];
  lists: (Reading & { kind: "trust" | "status"; message: string })[];
}

// The same file that tests/pki/passes/test_vectors.py answers.
const path = new URL("../../../../tests/data/passes/vectors.json", import.meta.url);
const vectors = JSON.parse(readFileSync(path, "utf-8")) as Vectors;
const trustKey = bytes(vectors.trust_key);

function bytes(base64: string): Bytes {
  return Uint8Array.from(Buffer.from(base64, "base64"));
}

async function answer(one: Case): Promise<Verdict> {
  const trust = await TrustList.verify(bytes(vectors.trust_list), trustKey, 0);
  const statuses = await StatusList.verify(bytes(vectors.status_list), trustKey, 0);
  const now = new Date(one.now);
  try {
    const { claims, signer } = await trust.verifyPass(decodeDigits(one.digits), now);
    return decide(claims, signer, {
      now,
      place: { building: one.building, zone: one.zone },
      status: statuses.lookUp(claims.statusIndex),
      listsUntil: trust.edition.nextUpdate,
      meetingBuilding: one.meeting_building,
      earlier: one.earlier && { at: new Date(one.earlier.at), place: one.earlier.place },
    });
  } catch (error) {
    if (error instanceof PassRejected) return refuseFault(error.fault);
    throw error;
  }
}

async function faultOf(read: () => unknown): Promise<PassFault | null> {
  try {
    await read();
    return null;
  } catch (error) {
    if (error instanceof PassRejected) return error.fault;
    throw error;
  }
}

async function open(): Promise<TrustList> {
  return TrustList.verify(bytes(vectors.trust_list), trustKey, 0);
}

describe("the cases shared with Python", () => {
  it.each(vectors.cases)("$name", async (one) => {
    const { outcome, reason } = await answer(one);
    expect({ outcome, reason }).toEqual({ outcome: one.outcome, reason: one.reason });
  });

  it.each(vectors.readings)("CBOR: $name", async ({ hex, fault }) => {
    expect(await faultOf(() => decode(Uint8Array.from(Buffer.from(hex, "hex"))))).toBe(fault);
  });

  it.each(vectors.claims)("claims: $name", async ({ digits, fault }) => {
    const trust = await open();
    const now = new Date(vectors.cases[0]?.now ?? "");
    expect(await faultOf(() => trust.verifyPass(decodeDigits(digits), now))).toBe(fault);
  });

  it.each(vectors.lists)("$name", async ({ kind, message, fault }) => {
    const list = kind === "trust" ? TrustList : StatusList;
    expect(await faultOf(() => list.verify(bytes(message), trustKey, 0))).toBe(fault);
  });

  it("refuses a pass with any single bit flipped", async () => {
    const trust = await open();
    const good = decodeDigits(vectors.cases[0]?.digits ?? "");
    const now = new Date(vectors.cases[0]?.now ?? "");
    expect(await faultOf(() => trust.verifyPass(good, now))).toBe(null);
    for (let place = 0; place < good.length * 8; place++) {
      const flipped = good.map((byte, at) => (at === place >> 3 ? byte ^ (1 << (place & 7)) : byte));
      expect(await faultOf(() => trust.verifyPass(flipped, now)), `bit ${place}`).not.toBe(null);
    }
  });

  it("refuses a list older than the last", async () => {
    await expect(TrustList.verify(bytes(vectors.trust_list), trustKey, vectors.version + 1)).rejects.toThrow("rollback");
    await expect(StatusList.verify(bytes(vectors.status_list), trustKey, vectors.version + 1)).rejects.toThrow("rollback");
  });

  it("takes no list for the other, and none from another signer", async () => {
    await expect(TrustList.verify(bytes(vectors.status_list), trustKey, 0)).rejects.toThrow("malformed");
    await expect(StatusList.verify(bytes(vectors.trust_list), trustKey, 0)).rejects.toThrow("malformed");
    const other = bytes(vectors.stranger_key);
    await expect(TrustList.verify(bytes(vectors.trust_list), other, 0)).rejects.toThrow("bad_signature");
  });
});
