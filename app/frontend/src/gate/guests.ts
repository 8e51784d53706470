// The roster as this tablet holds it: kept, brought up to date, and asked with a pass in hand.

import type { Bytes } from "../passes/cbor";
import { Roster, type RosterRecord } from "../passes/roster";
import { fetchRoster } from "./server";
import type { Store } from "./store";

export class Guests {
  private roster: Roster | null = null;
  private id = "";

  constructor(
    private readonly store: Store,
    private readonly trustKey: Bytes,
  ) {}

  get version(): number {
    return this.roster?.header.edition.version ?? 0;
  }

  get count(): number {
    return this.roster?.header.records ?? 0;
  }

  /** Read what was kept; what has ended or cannot be verified is as good as not there. */
  async open(now: Date): Promise<void> {
    const kept = await this.store.get("roster");
    if (kept === undefined) return;
    const read = await Roster.open(kept.header, kept.body, this.trustKey, 0).catch(() => null);
    if (read === null || now > read.header.edition.nextUpdate) return;
    this.roster = read;
    this.id = kept.id;
  }

  async renew(): Promise<void> {
    const held = this.roster === null ? null : { id: this.id, version: this.version };
    const update = await fetchRoster(held);
    if (update === null) return;
    const body = update.isWhole || this.roster === null ? update.entries : this.roster.updated(update.removed, update.entries);
    const atLeast = update.id === this.id ? this.version : 0;
    this.roster = await Roster.open(update.header, body, this.trustKey, atLeast);
    this.id = update.id;
    await this.store.put("roster", { id: update.id, header: update.header, body });
  }

  /** The record of whoever holds the pass; null where they are not on the roster, or it has ended. */
  async find(secret: Bytes, now: Date): Promise<RosterRecord | null> {
    if (this.roster === null || now > this.roster.header.edition.nextUpdate) return null;
    return this.roster.find(secret).catch(() => null);
  }
}
