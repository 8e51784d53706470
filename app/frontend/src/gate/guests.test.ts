import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { readFileSync } from "node:fs";
import { beforeEach, expect, it, vi } from "vitest";
import type { Bytes } from "../passes/cbor";
import { Roster } from "../passes/roster";
import { Guests } from "./guests";
import { Store, wipe } from "./store";

interface Vectors {
  trust_key: string;
  stranger_key: string;
  roster: { header: string; body: string; secrets: string[]; answers: ({ name: string } | null)[] };
}

const path = new URL("../../../../tests/data/passes/vectors.json", import.meta.url);
const vectors = JSON.parse(readFileSync(path, "utf-8")) as Vectors;
const [header, body, trustKey] = [bytes(vectors.roster.header), bytes(vectors.roster.body), bytes(vectors.trust_key)];
const until = (await Roster.open(header, body, trustKey, 0)).header.edition.nextUpdate;

let store: Store;

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  store = await Store.open();
  await store.put("roster", { id: "TSC/1", header, body });
});

function bytes(base64: string): Bytes {
  return Uint8Array.from(Buffer.from(base64, "base64"));
}

async function opened(at: Date, key = trustKey): Promise<Guests> {
  const guests = new Guests(store, key);
  await guests.open(at);
  return guests;
}

async function names(guests: Guests, at: Date): Promise<(string | undefined)[]> {
  const found = await Promise.all(vectors.roster.secrets.map((secret) => guests.find(bytes(secret), at)));
  return found.map((record) => record?.name);
}

it("shows from the disk who holds a pass, up to the last second of the roster", async () => {
  const expected = vectors.roster.answers.map((answer) => answer?.name);
  expect(expected.some((name) => name !== undefined)).toBe(true);
  expect(await names(await opened(until), until)).toEqual(expected);
});

it("shows nobody once the roster has ended, whether it was opened before or after", async () => {
  const after = new Date(until.getTime() + 1_000);
  const nobody = vectors.roster.secrets.map(() => undefined);
  expect(await names(await opened(until), after)).toEqual(nobody);
  expect(await names(await opened(after), until)).toEqual(nobody);
});

it("does not believe a roster on the disk that the city did not sign", async () => {
  const guests = await opened(until, bytes(vectors.stranger_key));
  expect([guests.count, guests.version]).toEqual([0, 0]);
});

it("leaves nothing behind when the tablet is wiped", async () => {
  const cached = new Set(["kyvao-gate-1", "of-another-page"]);
  vi.stubGlobal("caches", { keys: async () => [...cached], delete: async (name: string) => cached.delete(name) });
  let isCleared = false;
  vi.stubGlobal("localStorage", { clear: () => (isCleared = true) });
  store.close();
  await wipe();
  vi.unstubAllGlobals();
  expect([isCleared, [...cached]]).toEqual([true, ["of-another-page"]]);
  expect(await indexedDB.databases()).toEqual([]);
});
