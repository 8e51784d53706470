// The tablet's log of scans: each entry chained to the one before, signed with the tablet's key, written onto the disk
// before anybody sees what it says, and sent until the server has it without a gap.

import type { Bytes } from "../passes/cbor";
import type { Outcome, Reason } from "../passes/decision";
import {
  commitment,
  DIRECTION,
  encodeEvent,
  FLAGS,
  NO_PREVIOUS,
  scanId,
  sha256,
  signEvent,
  tick,
  type ScanEvent,
} from "../passes/scan_event";
import type { Boot } from "./boot";
import type { KeptEvent, Spent, Store } from "./store";

const MOST_AT_ONCE = 500;
const NOTHING: Pick<ScanEvent, "outcome" | "reason"> = { outcome: "look_again", reason: "no_network" };

export interface Holder {
  readonly deviceId: Bytes;
  readonly checkpointId: Bytes;
  readonly key: CryptoKey;
}

/** What is written of one scan. */
export interface Written {
  readonly outcome: Outcome;
  readonly reason: Reason;
  readonly digits: string;
  /** The secret id and slot of the pass; null where none could be read. */
  readonly pass: { readonly secret: Bytes; readonly slot: number; readonly right: string } | null;
  readonly leaseEpoch: number | null;
  readonly flags: number;
  readonly direction: 0 | 1;
}

export interface Versions {
  readonly trust: number;
  readonly status: number;
  readonly roster: number;
}

/** What the server said to a batch. */
export interface Receipt {
  readonly contiguous: number;
  readonly isVoid: boolean;
}

export class Log {
  private turn: Promise<unknown> = Promise.resolve();
  versions: Versions = { trust: 0, status: 0, roster: 0 };

  constructor(
    private readonly store: Store,
    private readonly holder: Holder,
    private readonly boot: Boot,
    /** The city's time as far as it is known. */
    private readonly now: () => Date,
    private readonly place: string,
  ) {}

  /** Do `work` while nothing else is written: the name of the next entry stays what `nextScanId` said. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(work, work);
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  async nextScanId(): Promise<string> {
    return scanId(this.holder.deviceId, ((await this.store.get("tip"))?.seq ?? 0) + 1);
  }

  async began(): Promise<void> {
    await this.append({ ...NOTHING, flags: FLAGS.boot });
  }

  async ended(): Promise<void> {
    await this.append({ ...NOTHING, flags: FLAGS.closed });
  }

  async tookLeases(epoch: number): Promise<void> {
    await this.append({ ...NOTHING, flags: FLAGS.leasesTaken, leaseEpoch: epoch });
  }

  async face(scan: string, face: 0 | 1 | 2): Promise<void> {
    const refersTo = Uint8Array.from(scan.replaceAll("-", "").match(/../g) ?? [], (pair) => parseInt(pair, 16));
    await this.append({ ...NOTHING, flags: FLAGS.face, refersTo, face });
  }

  /** Write a scan down; when it lets somebody in, the right is spent in the same breath. */
  async scanned(written: Written): Promise<void> {
    const { pass, digits, ...facts } = written;
    const letsIn = written.outcome === "admit" && written.direction === DIRECTION.in;
    const spent: Spent = { at: this.now(), place: this.place };
    const spends = pass !== null && letsIn ? { right: pass.right, spent } : null;
    await this.append({ ...facts, slot: pass?.slot ?? 0 }, { secret: pass?.secret ?? null, digits, spends });
  }

  /** Send what waits, oldest first, until the server has all of it or does not answer. */
  async send(post: (events: readonly KeptEvent[]) => Promise<Receipt>): Promise<Receipt | null> {
    let receipt: Receipt | null = null;
    for (;;) {
      const waiting = await this.store.waiting(MOST_AT_ONCE);
      if (waiting.length === 0) return receipt;
      const before = waiting[0]?.seq ?? 0;
      receipt = await post(waiting);
      await this.store.confirm(receipt.contiguous);
      if (receipt.isVoid || receipt.contiguous < before) return receipt;
    }
  }

  private async append(
    facts: Partial<ScanEvent> & Pick<ScanEvent, "outcome" | "reason" | "flags">,
    beside: {
      readonly secret: Bytes | null;
      readonly digits: string;
      readonly spends: { readonly right: string; readonly spent: Spent } | null;
    } | null = null,
  ): Promise<void> {
    const last = (await this.store.get("tip")) ?? { seq: 0, head: NO_PREVIOUS, hlc: 0n };
    const salt = crypto.getRandomValues(new Uint8Array(16));
    const hlc = tick(last.hlc, this.now().getTime());
    const seq = last.seq + 1;
    const event = encodeEvent({
      deviceId: this.holder.deviceId,
      seq,
      previous: last.head,
      bootId: this.boot.id,
      hlc,
      monotonicMs: Math.max(0, this.boot.elapsedMs()),
      trustVersion: this.versions.trust,
      statusVersion: this.versions.status,
      rosterVersion: this.versions.roster,
      commitment: await commitment(salt, beside?.secret ?? null),
      checkpointId: this.holder.checkpointId,
      direction: DIRECTION.in,
      slot: 0,
      leaseEpoch: null,
      refersTo: null,
      face: null,
      ...facts,
    });
    const signature = await signEvent(event, this.holder.key);
    const kept = { seq, event, signature, salt, digits: beside?.digits ?? null };
    await this.store.append(kept, { seq, head: await sha256(event), hlc }, beside?.spends ?? null);
  }
}
