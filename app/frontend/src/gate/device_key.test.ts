import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, expect, it, vi } from "vitest";
import { ownKey, requestFor } from "./device_key";
import { NoAnswer, NotEnrolled } from "./server";
import { type KeptEvent, Store, wipe } from "./store";

const taken = (): Promise<void> => Promise.resolve();
const never = (): Promise<never> => Promise.reject(new Error("nothing is to be sent"));

let store: Store;

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  vi.stubGlobal("localStorage", { clear: () => undefined });
  vi.stubGlobal("navigator", {});
  store = await Store.open();
});

/** Make a key as the form does, and return the name under which the server knows it once the code was right. */
async function asked(): Promise<string> {
  await requestFor("12345678");
  return (await store.get("newKey"))?.name ?? "";
}

async function write(seq: number): Promise<void> {
  const octets = new Uint8Array(32).fill(seq);
  const entry: KeptEvent = { seq, event: octets, signature: octets, salt: octets, digits: null };
  const spent = { right: `${seq}/0`, spent: { at: new Date(0), place: "Cổng A" } };
  await store.append(entry, { seq, head: octets, hlc: 1n }, spent);
}

it("keeps its key when the code was wrong", async () => {
  const name = await asked();
  expect(await ownKey(store, name, never)).toMatchObject({ isNew: true });
  await asked();
  expect(await ownKey(store, name, never)).toMatchObject({ isNew: false, key: { name } });
});

it("has no key under a name that is not its own", async () => {
  await asked();
  expect(await ownKey(store, "00", never)).toBeNull();
});

it("sends what the former tablet wrote, and begins without it, but knows whom that let in", async () => {
  await ownKey(store, await asked(), never);
  for (let seq = 1; seq <= 501; seq++) await write(seq);
  const name = await asked();
  const sent: number[] = [];
  const own = await ownKey(store, name, (events) => {
    sent.push(events.length);
    return Promise.reject(new NotEnrolled());
  });
  expect(own).toMatchObject({ isNew: true, key: { name } });
  expect(sent).toEqual([500, 1]);
  expect([await store.count(), await store.get("tip"), await store.get("newKey")]).toEqual([0, undefined, undefined]);
  expect(await store.spentAt("501/0")).toMatchObject({ place: "Cổng A" });
});

it("does not begin before that was sent, unless the server can never read it", async () => {
  const former = await asked();
  await ownKey(store, former, never);
  await write(1);
  const name = await asked();
  await expect(ownKey(store, name, () => Promise.reject(new NoAnswer("network")))).rejects.toThrow("network");
  expect([await store.count(), (await store.get("key"))?.name]).toEqual([1, former]);
  expect(await ownKey(store, name, () => Promise.reject(new NoAnswer("422")))).toMatchObject({ isNew: true });
  expect(await ownKey(store, name, taken)).toMatchObject({ isNew: false });
});

it("is wiped although another page of it is open", async () => {
  await asked();
  const other = await Store.open();
  await wipe();
  await expect(other.count()).rejects.toThrow();
  expect(await indexedDB.databases()).toEqual([]);
});
