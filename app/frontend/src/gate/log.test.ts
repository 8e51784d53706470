import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, expect, it } from "vitest";
import { asBytes, asMap, asNatural, type Bytes, decode } from "../passes/cbor";
import { commitment, DIRECTION, FLAGS, NO_PREVIOUS, scanId, sha256 } from "../passes/scan_event";
import { Log, type Receipt, type Written } from "./log";
import { type KeptEvent, Store } from "./store";

const DEVICE = new Uint8Array(16).fill(7);
const SECRET = new Uint8Array(16).fill(9);
const RIGHT = "0909/0";
const boot = { id: new Uint8Array(16).fill(1), isNew: true, elapsedMs: () => 5_000, end: () => undefined };

let store: Store;
let keys: CryptoKeyPair;

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  store = await Store.open();
  keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
});

function opened(wallMs = 1_790_000_000_000): Log {
  const holder = { deviceId: DEVICE, checkpointId: new Uint8Array(16).fill(2), key: keys.privateKey };
  return new Log(store, holder, boot, () => new Date(wallMs), "Cổng A");
}

function scan(outcome: Written["outcome"], direction: Written["direction"] = DIRECTION.in): Written {
  const pass = { secret: SECRET, slot: 0, right: RIGHT };
  return { outcome, reason: "admitted", digits: "791", pass, leaseEpoch: 3, flags: 0, direction };
}

function at(entry: KeptEvent | undefined, key: number): unknown {
  return asMap(decode(entry?.event ?? new Uint8Array())).get(key);
}

function hlc(entry: KeptEvent | undefined): bigint {
  const clock = asBytes(asMap(decode(entry?.event ?? new Uint8Array())).get(5));
  return new DataView(clock.buffer, clock.byteOffset).getBigUint64(0);
}

it("chains each entry to the one before and signs it with the tablet's key", async () => {
  const log = opened();
  await log.began();
  await log.scanned(scan("admit"));
  await log.ended();
  const kept = await store.waiting(10);
  expect(kept.map((entry) => entry.seq)).toEqual([1, 2, 3]);
  expect(kept.map((entry) => at(entry, 17))).toEqual([FLAGS.boot, 0, FLAGS.closed]);
  let before: Bytes = NO_PREVIOUS;
  for (const { event, signature } of kept) {
    expect(asBytes(asMap(decode(event)).get(3))).toEqual(before);
    before = await sha256(event);
    const algorithm = { name: "ECDSA", hash: "SHA-256" };
    expect(await crypto.subtle.verify(algorithm, keys.publicKey, signature, event)).toBe(true);
  }
});

it("goes on after a restart where it stopped, and its clock does not run back with the wall clock", async () => {
  await opened(1_790_000_000_000).began();
  await opened(1_700_000_000_000).began();
  const [first, second] = await store.waiting(10);
  expect(asNatural(asMap(decode(second?.event ?? new Uint8Array())).get(2))).toBe(2);
  expect(hlc(second)).toBeGreaterThan(hlc(first));
});

it("names the pass only to whoever has the salt", async () => {
  await opened().scanned(scan("admit"));
  const [entry] = await store.waiting(1);
  expect(at(entry, 10)).toEqual(await commitment(entry?.salt ?? new Uint8Array(), SECRET));
});

it("spends the right with the entry that lets somebody in, and with no other", async () => {
  const log = opened();
  await log.scanned(scan("refuse"));
  await log.scanned(scan("admit", DIRECTION.out));
  expect(await store.spentAt(RIGHT)).toBeUndefined();
  await log.scanned(scan("admit"));
  expect((await store.spentAt(RIGHT))?.place).toBe("Cổng A");
});

it("does one thing at a time, so that a scan keeps the name it was given, also after one that failed", async () => {
  const log = opened();
  const failed = log.alone(() => Promise.reject(new Error("no")));
  const scanned = async (): Promise<string> => {
    const said = await log.nextScanId();
    await log.scanned(scan("admit"));
    return said;
  };
  const names = Promise.all([log.alone(scanned), log.alone(scanned)]);
  await expect(failed).rejects.toThrow("no");
  expect(await names).toEqual([await scanId(DEVICE, 1), await scanId(DEVICE, 2)]);
});

it("keeps what the server does not have yet, and forgets the rest", async () => {
  const log = opened();
  for (let entry = 0; entry < 5; entry++) await log.began();
  const answers: Receipt[] = [
    { contiguous: 3, isVoid: false },
    { contiguous: 3, isVoid: false },
  ];
  const sent: number[][] = [];
  const receipt = await log.send(async (events) => {
    sent.push(events.map((event) => event.seq));
    return answers.shift() ?? { contiguous: 5, isVoid: false };
  });
  expect(sent).toEqual([[1, 2, 3, 4, 5], [4, 5]]);
  expect(receipt?.contiguous).toBe(3);
  expect(await store.count()).toBe(2);
});

it("loses nothing when the server does not answer", async () => {
  const log = opened();
  await log.began();
  await expect(log.send(() => Promise.reject(new Error("no network")))).rejects.toThrow("no network");
  expect(await store.count()).toBe(1);
});

it("sends no more once the server found the log in two places", async () => {
  const log = opened();
  for (let entry = 0; entry < 502; entry++) await log.began();
  let posts = 0;
  const receipt = await log.send(async () => {
    posts += 1;
    return { contiguous: 500, isVoid: true };
  });
  expect([posts, receipt?.isVoid, await store.count()]).toEqual([1, true, 2]);
});

it("forgets rights that were used long ago, and no others", async () => {
  await opened(1_790_000_000_000).scanned(scan("admit"));
  await store.forgetSpent(new Date(1_790_000_000_000));
  expect(await store.spentAt(RIGHT)).toBeDefined();
  await store.forgetSpent(new Date(1_790_000_000_001));
  expect(await store.spentAt(RIGHT)).toBeUndefined();
});
