import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, describe, expect, it } from "vitest";
import type { Sealed } from "./messages";
import type { Mark, Sheet } from "./roll";
import { Store } from "./store";

const NOW = new Date("2026-11-23T03:00:00Z");
const UNTIL = new Date("2026-11-23T11:00:00Z");
const SHEET: Sheet = { madeAt: NOW.toISOString(), buildings: [] };
const MARK: Mark = { id: "m1", buildingId: "b", personId: "p", mark: "safe", at: NOW.toISOString() };

async function sealed(): Promise<Sealed> {
  const key = crypto.getRandomValues(new Uint8Array(32));
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const own = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  const content = new TextEncoder().encode(JSON.stringify(SHEET));
  const body = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, own, content));
  return { sealed: Uint8Array.from([...nonce, ...body]), key, until: UNTIL, tag: "1", formToken: "t" };
}

let store: Store;
beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  store = await Store.open();
});

describe("the sheet on a phone", () => {
  it("opens until the shift ends, and is forgotten then", async () => {
    await store.keep(await sealed(), []);
    expect(await store.sheet(new Date(UNTIL.getTime() - 1))).toEqual(SHEET);
    expect(await store.sheet(UNTIL)).toBeUndefined();
    expect(await store.sheet(NOW)).toBeUndefined();
  });

  it("leaves the bytes of its key nowhere", async () => {
    const fresh = await sealed();
    await store.keep(fresh, []);
    expect(fresh.key.every((byte) => byte === 0)).toBe(true);
  });
});

describe("a mark made here", () => {
  it("is kept until a sheet that was fetched after sending it shows it", async () => {
    await store.add(MARK);
    await store.keep(await sealed(), []);
    expect(await store.marks()).toEqual([{ ...MARK, sent: false }]);
    await store.sent(["m1", "never made here"]);
    expect(await store.marks()).toEqual([{ ...MARK, sent: true }]);
    await store.keep(await sealed(), ["m1"]);
    expect(await store.marks()).toEqual([]);
  });

  it("outlives the end of the shift", async () => {
    await store.keep(await sealed(), []);
    await store.add(MARK);
    await store.sheet(UNTIL);
    expect(await store.marks()).toHaveLength(1);
  });
});
