// One scan from the code in view to the verdict, the same with and without a network: read, decide, ask the server if it
// answers, write down, show.

import type { PassClaims } from "../passes/claims";
import { verdict, type Verdict } from "../passes/decision";
import { DIRECTION } from "../passes/scan_event";
import type { RosterRecord } from "../passes/roster";
import type { Guests } from "./guests";
import { type Judge, rightOf } from "./judge";
import type { Log } from "./log";
import { type Answer, NotEnrolled, type ScanMessage, sendScan } from "./server";

/** What the guard is shown of a scan. */
export interface Shown {
  readonly scanId: string;
  readonly verdict: Verdict;
  /** What the server said; null where it did not answer or was not asked. */
  readonly answer: Answer | null;
  /** From the roster on this tablet. */
  readonly record: RosterRecord | null;
}

export class Gate {
  constructor(
    private readonly judge: Judge,
    private readonly guests: Guests,
    private readonly log: Log,
  ) {}

  /** Throws NotEnrolled when this tablet was revoked. */
  async scan(text: string): Promise<Shown> {
    return this.log.alone(() => this.scanAlone(text));
  }

  private async scanAlone(text: string): Promise<Shown> {
    const scanId = await this.log.nextScanId();
    const { pass, fault } = await this.judge.read(text);
    if (pass === null) {
      const said = fault ?? verdict("look_again", "stale_lists");
      await this.write(text, null, said, null);
      return { scanId, verdict: said, answer: null, record: null };
    }
    const record = await this.guests.find(pass.claims.passId, this.judge.now());
    const seen = await this.judge.judge(pass, true);
    // What this tablet may by itself. The server does not use a right that is leased to it against its word.
    const own = seen.outcome === "refuse" ? seen : await this.judge.judge(pass, false);
    // A refusal of the pass needs nobody else; a green light is the server's, as long as it answers.
    const answer = seen.outcome === "refuse" ? null : await this.asked(scanId, text, own);
    if (answer !== null) {
      const said = verdict(answer.outcome, answer.reason);
      await this.write(text, pass.claims, said, null);
      return { scanId, verdict: said, answer, record };
    }
    await this.write(text, pass.claims, own, own.reason === "admitted" ? this.judge.leaseOf(pass.claims) : null);
    return { scanId, verdict: own, answer: null, record: own.outcome === "refuse" ? null : record };
  }

  private async asked(scanId: string, text: string, own: Verdict): Promise<Answer | null> {
    const message: ScanMessage = {
      scan_id: scanId,
      digits: text,
      scanned_at: this.judge.now().toISOString(),
      outcome: own.outcome,
      reason: own.reason,
      boot_id: this.judge.bootName,
    };
    try {
      return await sendScan(message);
    } catch (error) {
      if (error instanceof NotEnrolled) throw error;
      return null;
    }
  }

  private async write(text: string, claims: PassClaims | null, said: Verdict, leaseEpoch: number | null): Promise<void> {
    await this.log.scanned({
      outcome: said.outcome,
      reason: said.reason,
      digits: text.slice(0, LONGEST_TEXT),
      pass: claims && { secret: claims.passId, slot: claims.slot, right: rightOf(claims) },
      leaseEpoch,
      flags: 0,
      direction: DIRECTION.in,
    });
  }
}

const LONGEST_TEXT = 2_000;
