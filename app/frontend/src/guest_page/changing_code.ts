// The code of a meeting whose codes change every half minute, drawn on the guest's phone, with and without a network.

import encodeQR from "qr";
import { decodeDigits } from "../passes/digits";
import { show, STEP_MS } from "../passes/rotating";

const QUIET_ZONE = 4;

export class ChangingCode {
  /** How far the city's clock is ahead of the phone's, in milliseconds; nought until the city was asked. */
  private ahead = 0;

  /** `digits` are those of the pass itself, `key` the one of `rotating.pass_key`. */
  constructor(
    private readonly digits: string,
    private readonly key: Uint8Array<ArrayBuffer>,
    private readonly draw: (path: string, size: number) => void,
  ) {}

  /** Take the time from an answer of the city (RFC 9110, 6.6.1): a phone whose clock is wrong would show old codes. */
  async heard(date: string | null, now: number = Date.now()): Promise<void> {
    const theirs = date === null ? Number.NaN : Date.parse(date);
    if (Number.isNaN(theirs)) return;
    this.ahead = theirs - now;
    await this.redraw(now);
  }

  async redraw(now: number = Date.now()): Promise<void> {
    const shown = await show(decodeDigits(this.digits), this.key, new Date(now + this.ahead));
    const rows = encodeQR(shown, "raw", { ecc: "medium", encoding: "numeric", border: QUIET_ZONE });
    this.draw(pathOf(rows), rows.length);
  }

  /** Milliseconds until the code changes. */
  left(now: number = Date.now()): number {
    return STEP_MS - ((((now + this.ahead) % STEP_MS) + STEP_MS) % STEP_MS);
  }
}

/** Each dark module as a square of one unit, as pki/passes/qr.py draws it. */
function pathOf(rows: readonly (readonly boolean[])[]): string {
  return rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
}
