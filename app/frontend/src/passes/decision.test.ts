import { describe, expect, it } from "vitest";
import type { PassClaims } from "./claims";
import { decide, refuseFault, type Facts } from "./decision";
import type { Signer } from "./lists";

const START = new Date("2026-11-23T01:00:00Z");
const minutes = (count: number): Date => new Date(START.getTime() + count * 60_000);

const claims: PassClaims = {
  notBefore: START,
  notAfter: minutes(150),
  validityMinutes: 150,
  passId: new Uint8Array(16),
  meeting: 17,
  statusIndex: 4242,
  zones: 2,
  flags: 0,
  slot: 0,
};
const signer: Signer = {
  kid: new Uint8Array(4),
  spki: new Uint8Array(0),
  agencyCode: "H99.02",
  agencyName: "Sở Khoa học và Công nghệ",
  notBefore: minutes(-9000),
  notAfter: minutes(9000),
  buildings: ["TTHC"],
  longestMinutes: 4320,
  zones: 255,
};
const facts: Facts = {
  now: minutes(30),
  place: { building: "TTHC", zone: 0 },
  status: "valid",
  listsUntil: minutes(180),
  meetingBuilding: "TTHC",
  earlier: null,
};

describe("what the guard is told", () => {
  it("names the time and the gate of the first entry", () => {
    const earlier = { at: minutes(2), place: "Cổng A" };
    const expected = { outcome: "refuse", reason: "already_admitted", at: minutes(2), place: "Cổng A" };
    expect(decide(claims, signer, { ...facts, earlier })).toEqual(expected);
  });

  it("names the right building", () => {
    const expected = { outcome: "refuse", reason: "wrong_building", at: null, place: "TSC" };
    expect(decide(claims, signer, { ...facts, meetingBuilding: "TSC" })).toEqual(expected);
  });

  it.each([
    [-10, "too_early", START],
    [160, "too_late", claims.notAfter],
    [3000, "wrong_day", START],
  ] as const)("names the time that counts at %i minutes", (now, reason, at) => {
    expect(decide(claims, signer, { ...facts, now: minutes(now) })).toEqual({ outcome: "refuse", reason, at, place: null });
  });

  it("says look again when the lists are too old, and since when", () => {
    const found = decide(claims, signer, { ...facts, listsUntil: minutes(29) });
    expect(found).toEqual({ outcome: "look_again", reason: "stale_lists", at: minutes(29), place: null });
  });

  it("lets nobody into a zone that is not the agency's", () => {
    const place = { building: "TTHC", zone: 2 };
    expect(decide(claims, signer, { ...facts, place }).outcome).toBe("admit");
    expect(decide(claims, { ...signer, zones: 1 }, { ...facts, place }).reason).toBe("wrong_zone");
  });

  it.each([
    ["not_ours", "not_ours"],
    ["malformed", "forged"],
    ["unknown_key", "unknown_key"],
    ["bad_signature", "forged"],
    ["key_not_current", "agency_key_ended"],
    ["too_long_validity", "forged"],
    ["rollback", "stale_lists"],
  ] as const)("answers no to %s", (fault, reason) => {
    expect(refuseFault(fault)).toEqual({ outcome: "refuse", reason, at: null, place: null });
  });
});
