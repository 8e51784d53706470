import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Bytes } from "./cbor";
import { PassRejected, type PassFault } from "./faults";
import { isFresh, passKey, show, split } from "./rotating";

interface Vectors {
  rotating: {
    day_key: string;
    secret: string;
    pass_key: string;
    token: string;
    shown: { name: string; digits: string; at: string; now: string; fresh: boolean }[];
    readings: { name: string; digits: string; fault: PassFault | null }[];
  };
}

// The same file that tests/pki/passes/test_rotating.py answers.
const path = new URL("../../../../tests/data/passes/vectors.json", import.meta.url);
const { rotating } = JSON.parse(readFileSync(path, "utf-8")) as Vectors;

function bytes(base64: string): Bytes {
  return Uint8Array.from(Buffer.from(base64, "base64"));
}

describe("codes that change, as shared with Python", () => {
  it("have a key for each pass and day", async () => {
    expect(await passKey(bytes(rotating.day_key), bytes(rotating.secret))).toEqual(bytes(rotating.pass_key));
  });

  it.each(rotating.shown)("$name", async ({ digits, at, now, fresh }) => {
    const { token, code } = split(digits);
    const key = bytes(rotating.pass_key);
    expect(token).toEqual(bytes(rotating.token));
    expect(await isFresh(code, key, new Date(now))).toBe(fresh);
    const made = await show(token, key, new Date(at));
    expect(await isFresh(split(made).code, key, new Date(at))).toBe(true);
  });

  it("are shown alike", async () => {
    const [first] = rotating.shown;
    const made = await show(bytes(rotating.token), bytes(rotating.pass_key), new Date(first?.at ?? ""));
    expect(made).toBe(first?.digits);
  });

  it.each(rotating.readings)("$name", async ({ digits, fault }) => {
    let found: PassFault | null = null;
    try {
      const { code } = split(digits);
      expect(await isFresh(code, bytes(rotating.pass_key), new Date())).toBe(false);
    } catch (error) {
      if (!(error instanceof PassRejected)) throw error;
      found = error.fault;
    }
    expect(found).toBe(fault);
  });
});
