// Keyboard scanners type digits faster than fingers and end with Enter or Tab. The key's place on the keyboard is read,
// not its letter, so that a Vietnamese input method or another layout cannot change a digit.

const FASTEST_FINGER_MS = 50;
const SHORTEST = 12;

export class WedgeReader {
  private digits = "";
  private last = Number.NEGATIVE_INFINITY;

  /** Take one key press; return the digits that a scanner has just finished typing, or null. */
  take(code: string, at: number): string | null {
    const slow = at - this.last > FASTEST_FINGER_MS;
    this.last = at;
    if (code === "Enter" || code === "NumpadEnter" || code === "Tab") {
      const typed = slow ? "" : this.digits;
      this.digits = "";
      return typed.length >= SHORTEST ? typed : null;
    }
    const digit = /^(?:Digit|Numpad)([0-9])$/.exec(code)?.[1];
    this.digits = digit === undefined ? "" : (slow ? "" : this.digits) + digit;
    return null;
  }
}
