// What the tablet holds to decide by itself: the key it was enrolled under, and the newest lists signed with it. The
// lists are kept, so that it decides after a start without a network too.

import { admit } from "../passes/admission";
import type { Bytes } from "../passes/cbor";
import type { PassClaims } from "../passes/claims";
import { refuseFault, verdict, type Verdict } from "../passes/decision";
import { PassRejected } from "../passes/faults";
import { LeaseList } from "../passes/lease";
import { isFresh, passKey, split } from "../passes/rotating";
import { type Signer, StatusList, TrustList } from "../passes/lists";
import type { Boot } from "./boot";
import { bytes, type Lists } from "./server";
import type { Store, Told } from "./store";

const PINNED = "kyvao-gate-trust-key";

/** The city's key is another than the one this tablet was enrolled under. */
export class KeyChanged extends Error {}

/** A pass that was read, or why it is none. */
export interface Reading {
  readonly pass: { readonly claims: PassClaims; readonly signer: Signer; readonly isFresh: boolean } | null;
  readonly fault: Verdict | null;
}

export class Judge {
  private trust: TrustList | null = null;
  private statuses: StatusList | null = null;
  private leases: LeaseList | null = null;
  private dayKeys: Told["dayKeys"] = {};
  private place = { building: "", zone: 0 };
  // The server's time when this boot began; null where it was not told in this boot.
  private serverStartMs: number | null = null;

  private constructor(
    readonly trustKey: Bytes,
    private readonly boot: Boot,
    private readonly deviceId: Bytes,
    private readonly store: Store,
  ) {}

  /** Pin the key at the first opening after enrolment; a page that later brings another key is not believed. */
  static async pinned(
    trustKey: string,
    storage: Storage,
    boot: Boot,
    deviceId: Bytes,
    store: Store,
  ): Promise<Judge> {
    const known = storage.getItem(PINNED);
    if (known !== null && known !== trustKey) throw new KeyChanged();
    storage.setItem(PINNED, trustKey);
    const judge = new Judge(bytes(trustKey), boot, deviceId, store);
    const told = await store.get("told");
    // What was kept is verified again: whoever can write to the disk cannot make a list.
    if (told !== undefined) await judge.believe(told).catch(() => undefined);
    return judge;
  }

  /** Take up what the server says; returns the epoch of a list of leases that is new, or null. */
  async take(lists: Lists): Promise<number | null> {
    const before = this.leases?.epoch ?? null;
    const told: Told = {
      trustList: lists.trustList,
      statusList: lists.statusList,
      lease: lists.lease,
      building: lists.building,
      zone: lists.zone,
      serverMs: lists.now.getTime(),
      boot: String(this.boot.id),
      monotonicMs: this.boot.elapsedMs(),
      dayKeys: lists.dayKeys,
    };
    await this.believe(told);
    await this.store.put("told", told);
    const epoch = this.leases?.epoch ?? null;
    return epoch === before ? null : epoch;
  }

  /** The city's time: told in this boot and counted on since, or the wall clock of the tablet. */
  now(): Date {
    return new Date(this.serverStartMs === null ? Date.now() : this.serverStartMs + this.boot.elapsedMs());
  }

  get knowsTime(): boolean {
    return this.serverStartMs !== null;
  }

  listsUntil(): Date | null {
    if (this.trust === null || this.statuses === null) return null;
    const [one, other] = [this.trust.edition.nextUpdate, this.statuses.edition.nextUpdate];
    return one < other ? one : other;
  }

  get versions(): { trust: number; status: number } {
    return { trust: this.trust?.edition.version ?? 0, status: this.statuses?.edition.version ?? 0 };
  }

  get bootName(): string {
    return Array.from(this.boot.id, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  get leased(): number {
    return this.leases?.size ?? 0;
  }

  async read(text: string): Promise<Reading> {
    if (this.trust === null) return { pass: null, fault: verdict("look_again", "stale_lists") };
    try {
      const { token, code } = split(text);
      const found = await this.trust.verifyPass(token, this.now());
      return { pass: { ...found, isFresh: await this.isFresh(found.claims, code) }, fault: null };
    } catch (error) {
      if (error instanceof PassRejected) return { pass: null, fault: refuseFault(error.fault) };
      throw error;
    }
  }

  /** The verdict about a pass that was read; with `online` the server is asked next, so no lease is needed yet. */
  async judge({ claims, signer, isFresh }: NonNullable<Reading["pass"]>, online: boolean): Promise<Verdict> {
    const until = this.listsUntil();
    if (this.statuses === null || until === null) return verdict("look_again", "stale_lists");
    const spent = await this.store.spentAt(rightOf(claims));
    return admit(claims, signer, {
      now: this.now(),
      place: this.place,
      status: this.statuses.lookUp(claims.statusIndex),
      listsUntil: until,
      meetingBuilding: null,
      spent: online ? null : (spent ?? null),
      // Without the city's time nobody knows whether a lease still holds.
      lease: this.knowsTime ? this.leases : null,
      policy: this.leases?.policyOf(claims.statusIndex, claims.slot) ?? null,
      online,
      isFresh,
    });
  }

  /** The epoch under which this tablet holds the right to a pass now; null where it does not. */
  leaseOf(claims: PassClaims): number | null {
    const holds = this.knowsTime && (this.leases?.holds(claims.statusIndex, claims.slot, this.now()) ?? false);
    return holds ? (this.leases?.epoch ?? null) : null;
  }

  private async isFresh(claims: PassClaims, code: Bytes | null): Promise<boolean> {
    const dayKey = this.dayKeys[dayOf(claims.notBefore)];
    return dayKey !== undefined && (await isFresh(code, await passKey(dayKey, claims.passId), this.now()));
  }

  private async believe(told: Told): Promise<void> {
    // No list may be older than the one held: an old list is how a withdrawn pass would come back.
    const trust = await TrustList.verify(told.trustList, this.trustKey, this.trust?.edition.version ?? 0);
    const statuses = await StatusList.verify(told.statusList, this.trustKey, this.statuses?.edition.version ?? 0);
    const thisBoot = told.boot === String(this.boot.id);
    this.trust = trust;
    this.statuses = statuses;
    this.dayKeys = told.dayKeys;
    this.place = { building: told.building, zone: told.zone };
    if (!thisBoot) return;
    this.serverStartMs = told.serverMs - told.monotonicMs;
    if (told.lease !== null) {
      const holder = { deviceId: this.deviceId, bootId: this.boot.id };
      this.leases = await LeaseList.verify(told.lease, this.trustKey, holder, this.leases?.epoch ?? 0);
    }
  }
}

const CITY_MS = 7 * 3600_000;

/** The day in the city's zone, which has no summer time. */
function dayOf(moment: Date): string {
  return new Date(moment.getTime() + CITY_MS).toISOString().slice(0, 10);
}

/** How the right to admit a pass is named on this tablet: by its place in the status list, which tells nobody's name. */
export function rightOf(claims: PassClaims): string {
  return `${claims.statusIndex}/${claims.slot}`;
}
