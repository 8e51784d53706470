import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Bytes } from "../passes/cbor";
import { PassRejected, type PassFault } from "../passes/faults";
import { ClaimKeys } from "./claim";
import { compare } from "./compare";

interface Vectors {
  list_key: string;
  stranger_key: string;
  keys: string;
  version: number;
  revision: string;
  cases: { name: string; digits: string; fault: PassFault | null; claim: Record<string, string | number> | null }[];
}

// The same file that tests/pki/test_document_claim.py answers.
const path = new URL("../../../../tests/data/claims/vectors.json", import.meta.url);
const vectors = JSON.parse(readFileSync(path, "utf-8")) as Vectors;

function bytes(base64: string): Bytes {
  return Uint8Array.from(Buffer.from(base64, "base64"));
}

function open(): Promise<ClaimKeys> {
  return ClaimKeys.verify(bytes(vectors.keys), bytes(vectors.list_key), 0);
}

async function faultOf(digits: string): Promise<PassFault | null> {
  try {
    await (await open()).read(digits);
    return null;
  } catch (error) {
    if (error instanceof PassRejected) return error.fault;
    throw error;
  }
}

describe("the codes shared with Python", () => {
  it.each(vectors.cases)("$name", async ({ digits, fault, claim }) => {
    expect(await faultOf(digits)).toBe(fault);
    if (claim === null) return;
    const read = await (await open()).read(digits);
    expect({
      claim_id: read.claim.claimId,
      number: read.claim.number,
      issued_on: new Date(read.claim.day * 86_400_000).toISOString().slice(0, 10),
      digest: read.claim.digest,
      size: read.claim.size,
      document_class: ["public", "restricted", "hidden"].indexOf(read.claim.documentClass),
      agency: read.signer.agencyName,
    }).toEqual(claim);
  });

  it("are refused with any digit changed", async () => {
    const good = vectors.cases[0]?.digits ?? "";
    for (let at = 0; at < good.length; at += 7) {
      const changed = good.slice(0, at) + String((Number(good[at]) + 1) % 10) + good.slice(at + 1);
      expect(await faultOf(changed), `digit ${at}`).not.toBe(null);
    }
  });
});

describe("the list of keys", () => {
  it("is refused from another signer and when it is older than the last", async () => {
    await expect(ClaimKeys.verify(bytes(vectors.keys), bytes(vectors.stranger_key), 0)).rejects.toThrow("bad_signature");
    const older = ClaimKeys.verify(bytes(vectors.keys), bytes(vectors.list_key), vectors.version + 1);
    await expect(older).rejects.toThrow("rollback");
  });
});

describe("a file that somebody holds", () => {
  const revision = bytes(vectors.revision);
  const issued = new Blob([revision, "number, seal, proofs"]);
  const digestOf = async (part: Blob): Promise<string> =>
    Buffer.from(await crypto.subtle.digest("SHA-256", await part.arrayBuffer())).toString("hex");
  const claim = async () => (await (await open()).read(vectors.cases[0]?.digits ?? "")).claim;

  it("is the issued one if all its bytes are", async () => {
    expect(await compare(issued, await claim(), await digestOf(issued))).toBe("issued");
  });

  it("begins with what the head signed, if nobody tells the issued digest", async () => {
    expect(await compare(issued, await claim(), null)).toBe("signed_part");
    expect(await compare(new Blob([revision]), await claim(), "00".repeat(32))).toBe("signed_part");
  });

  it("is another one if it is shorter or differs in a byte", async () => {
    expect(await compare(new Blob([revision.slice(1)]), await claim(), null)).toBe("different");
    const changed = revision.map((byte, at) => (at === 9 ? byte ^ 1 : byte));
    expect(await compare(new Blob([changed, "more"]), await claim(), await digestOf(issued))).toBe("different");
    expect(await compare(new Blob([]), await claim(), null)).toBe("different");
  });
});
