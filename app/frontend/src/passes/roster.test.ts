import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Bytes } from "./cbor";
import { Roster } from "./roster";

interface Answer {
  name: string;
  seat: string;
  flags: number;
  portrait: string;
}

interface Vectors {
  trust_key: string;
  stranger_key: string;
  roster: {
    header: string;
    body: string;
    secrets: string[];
    answers: (Answer | null)[];
    update: { header: string; removed: string; entries: string; body: string; answers: (Answer | null)[] };
  };
}

// The same file that tests/pki/passes/test_roster.py answers.
const path = new URL("../../../../tests/data/passes/vectors.json", import.meta.url);
const vectors = JSON.parse(readFileSync(path, "utf-8")) as Vectors;
const { roster } = vectors;
const trustKey = bytes(vectors.trust_key);

function bytes(base64: string): Bytes {
  return Uint8Array.from(Buffer.from(base64, "base64"));
}

async function answers(read: Roster): Promise<unknown[]> {
  const found = await Promise.all(roster.secrets.map((secret) => read.find(bytes(secret))));
  return found.map((one) => one && { ...one, portrait: Buffer.from(one.portrait).toString("base64") });
}

describe("the shared roster", () => {
  it("shows a guest to whoever holds the pass, and nobody else", async () => {
    const read = await Roster.open(bytes(roster.header), bytes(roster.body), trustKey, 1);
    expect(await answers(read)).toEqual(roster.answers);
  });

  it("takes an update in", async () => {
    const before = await Roster.open(bytes(roster.header), bytes(roster.body), trustKey, 0);
    const body = before.updated(bytes(roster.update.removed), bytes(roster.update.entries));
    expect(Buffer.from(body).toString("base64")).toBe(roster.update.body);
    const after = await Roster.open(bytes(roster.update.header), body, trustKey, 2);
    expect(await answers(after)).toEqual(roster.update.answers);
  });

  it("is refused when it is older, of another signer, cut or changed", async () => {
    const [header, body] = [bytes(roster.header), bytes(roster.body)];
    await expect(Roster.open(header, body, trustKey, 2)).rejects.toThrow("rollback");
    await expect(Roster.open(header, body, bytes(vectors.stranger_key), 0)).rejects.toThrow("bad_signature");
    await expect(Roster.open(header, body.slice(1), trustKey, 0)).rejects.toThrow("malformed");
    const changed = body.slice();
    changed.set([(changed[100] ?? 0) ^ 1], 100);
    await expect(Roster.open(header, changed, trustKey, 0)).rejects.toThrow("malformed");
  });
});
