import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { admit } from "./admission";
import type { Bytes } from "./cbor";
import type { Outcome, Reason } from "./decision";
import { decodeDigits } from "./digits";
import { PassRejected, type PassFault } from "./faults";
import { LeaseList, type Policy } from "./lease";
import { StatusList, TrustList } from "./lists";
import { commitment, encodeEvent, scanId, sha256, signEvent, tick, type ScanEvent } from "./scan_event";

interface Case {
  name: string;
  digits: string;
  outcome: string;
  reason: string;
  now: string;
  zone: number;
  lists_until: string;
  spent: { at: string; place: string } | null;
  lease: boolean;
  policy: Policy | null;
  online: boolean;
  fresh: boolean;
}

interface EventFacts {
  device_id: string;
  seq: number;
  previous: string;
  boot_id: string;
  hlc: string;
  monotonic_ms: number;
  versions: [number, number, number];
  commitment: string;
  checkpoint_id: string;
  direction: 0 | 1;
  outcome: Outcome;
  reason: Reason;
  slot: number;
  lease_epoch: number | null;
  flags: number;
  refers_to: string | null;
  face: 0 | 1 | 2 | null;
}

interface Entry {
  name: string;
  event: EventFacts;
  salt: string;
  secret: string | null;
  bytes: string;
  scan_id: string;
  sha256: string;
  key: string;
  signature: string;
}

interface Vectors {
  trust_key: string;
  trust_list: string;
  status_list: string;
  lease_list: string;
  device_id: string;
  boot_id: string;
  admissions: Case[];
  lease_readings: { name: string; message: string; fault: PassFault | null }[];
  events: Entry[];
}

// The same file that tests/pki/passes/test_admission.py and test_scan_event.py answer.
const path = new URL("../../../../tests/data/passes/vectors.json", import.meta.url);
const vectors = JSON.parse(readFileSync(path, "utf-8")) as Vectors;
const trustKey = bytes(vectors.trust_key);
const holder = { deviceId: bytes(vectors.device_id), bootId: bytes(vectors.boot_id) };
const ES256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

function bytes(base64: string): Bytes {
  return Uint8Array.from(Buffer.from(base64, "base64"));
}

function event(facts: EventFacts): ScanEvent {
  const [trustVersion, statusVersion, rosterVersion] = facts.versions;
  return {
    deviceId: bytes(facts.device_id),
    seq: facts.seq,
    previous: bytes(facts.previous),
    bootId: bytes(facts.boot_id),
    hlc: BigInt(facts.hlc),
    monotonicMs: facts.monotonic_ms,
    trustVersion,
    statusVersion,
    rosterVersion,
    commitment: bytes(facts.commitment),
    checkpointId: bytes(facts.checkpoint_id),
    direction: facts.direction,
    outcome: facts.outcome,
    reason: facts.reason,
    slot: facts.slot,
    leaseEpoch: facts.lease_epoch,
    flags: facts.flags,
    refersTo: facts.refers_to === null ? null : bytes(facts.refers_to),
    face: facts.face,
  };
}

describe("the right to admit, as shared with Python", () => {
  it.each(vectors.admissions)("$name", async (one) => {
    const now = new Date(one.now);
    const trust = await TrustList.verify(bytes(vectors.trust_list), trustKey, 0);
    const statuses = await StatusList.verify(bytes(vectors.status_list), trustKey, 0);
    const { claims, signer } = await trust.verifyPass(decodeDigits(one.digits), now);
    const found = admit(claims, signer, {
      now,
      place: { building: "TTHC", zone: one.zone },
      status: statuses.lookUp(claims.statusIndex),
      listsUntil: new Date(one.lists_until),
      meetingBuilding: null,
      spent: one.spent && { at: new Date(one.spent.at), place: one.spent.place },
      lease: one.lease ? await LeaseList.verify(bytes(vectors.lease_list), trustKey, holder, 0) : null,
      policy: one.policy,
      online: one.online,
      isFresh: one.fresh,
    });
    expect([found.outcome, found.reason]).toEqual([one.outcome, one.reason]);
  });

  it.each(vectors.lease_readings)("leases: $name", async ({ message, fault }) => {
    let found: PassFault | null = null;
    try {
      await LeaseList.verify(bytes(message), trustKey, holder, 0);
    } catch (error) {
      if (!(error instanceof PassRejected)) throw error;
      found = error.fault;
    }
    expect(found).toBe(fault);
  });

  it("refuses an earlier epoch", async () => {
    const list = await LeaseList.verify(bytes(vectors.lease_list), trustKey, holder, 5);
    expect([list.epoch, list.size]).toEqual([5, 3]);
    await expect(LeaseList.verify(bytes(vectors.lease_list), trustKey, holder, 6)).rejects.toThrow("rollback");
  });
});

describe("entries of the log, as shared with Python", () => {
  it.each(vectors.events)("$name", async (one) => {
    const data = encodeEvent(event(one.event));
    expect(Buffer.from(data).toString("base64")).toBe(one.bytes);
    expect(await scanId(bytes(one.event.device_id), one.event.seq)).toBe(one.scan_id);
    expect(Buffer.from(await sha256(data)).toString("hex")).toBe(one.sha256);
    const inside = await commitment(bytes(one.salt), one.secret === null ? null : bytes(one.secret));
    expect(Buffer.from(inside).toString("base64")).toBe(one.event.commitment);
    const key = await crypto.subtle.importKey("spki", bytes(one.key), ES256, false, ["verify"]);
    expect(await crypto.subtle.verify(ES256, key, bytes(one.signature), data)).toBe(true);
  });

  it("signs what the same key verifies", async () => {
    const pair = await crypto.subtle.generateKey(ES256, false, ["sign", "verify"]);
    const data = bytes(vectors.events[0]?.bytes ?? "");
    const signature = await signEvent(data, pair.privateKey);
    expect(signature).toHaveLength(64);
    expect(await crypto.subtle.verify(ES256, pair.publicKey, signature, data)).toBe(true);
  });

  it("has a clock that never runs back", () => {
    expect(tick(0n, 5)).toBe(5n << 16n);
    expect(tick(9n << 16n, 5)).toBe((9n << 16n) + 1n);
  });
});
