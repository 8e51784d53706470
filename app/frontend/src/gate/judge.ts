// What the tablet holds to decide by itself: the key it was enrolled under, and the newest lists signed with it.

import { decide, refuseFault, verdict, type Verdict } from "../passes/decision";
import { decodeDigits } from "../passes/digits";
import { PassRejected } from "../passes/faults";
import { StatusList, TrustList } from "../passes/lists";
import { bytes, type Lists } from "./server";

const PINNED = "kyvao-gate-trust-key";

/** The city's key is another than the one this tablet was enrolled under. */
export class KeyChanged extends Error {}

export class Judge {
  private trust: TrustList | null = null;
  private statuses: StatusList | null = null;
  private place = { building: "", zone: 0 };
  private clockOffset = 0;

  private constructor(private readonly trustKey: Uint8Array<ArrayBuffer>) {}

  /** Pin the key at the first opening after enrolment; a page that later brings another key is not believed. */
  static pinned(trustKey: string, storage: Storage): Judge {
    const known = storage.getItem(PINNED);
    if (known !== null && known !== trustKey) throw new KeyChanged();
    storage.setItem(PINNED, trustKey);
    return new Judge(bytes(trustKey));
  }

  async take(lists: Lists): Promise<void> {
    // Neither list may be older than the one held: an old list is how a withdrawn pass would come back.
    const trust = await TrustList.verify(lists.trustList, this.trustKey, this.trust?.edition.version ?? 0);
    const statuses = await StatusList.verify(lists.statusList, this.trustKey, this.statuses?.edition.version ?? 0);
    this.trust = trust;
    this.statuses = statuses;
    this.place = { building: lists.building, zone: lists.zone };
    this.clockOffset = lists.now.getTime() - Date.now();
  }

  /** The server's time as far as this tablet knows it. */
  now(): Date {
    return new Date(Date.now() + this.clockOffset);
  }

  listsUntil(): Date | null {
    if (this.trust === null || this.statuses === null) return null;
    const [one, other] = [this.trust.edition.nextUpdate, this.statuses.edition.nextUpdate];
    return one < other ? one : other;
  }

  async judge(text: string): Promise<Verdict> {
    const until = this.listsUntil();
    if (this.trust === null || this.statuses === null || until === null) return verdict("look_again", "stale_lists");
    const now = this.now();
    try {
      const { claims, signer } = await this.trust.verifyPass(decodeDigits(text), now);
      return decide(claims, signer, {
        now,
        place: this.place,
        status: this.statuses.lookUp(claims.statusIndex),
        listsUntil: until,
        meetingBuilding: null,
        earlier: null,
      });
    } catch (error) {
      if (error instanceof PassRejected) return refuseFault(error.fault);
      throw error;
    }
  }
}
