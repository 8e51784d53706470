// When a code in view is a new presentation: another code, or the same one after it was gone for a moment.

// Shorter than it takes to hand over another phone, longer than the frames that a shaking hand blurs.
const GONE_MS = 300;

export class Sightings {
  private last = "";
  private seenAt = Number.NEGATIVE_INFINITY;

  /**
   * Tell what a frame at `now` (milliseconds) shows; a new presentation is offered to `take`, which says whether it
   * had time for it. One that was declined is offered again in the next frame, unless it is the one just taken.
   */
  frame(text: string | undefined, now: number, take: (text: string) => boolean): void {
    if (text === undefined) return;
    const same = text === this.last;
    const isNew = !same || now - this.seenAt > GONE_MS;
    if (!isNew || take(text) || same) {
      this.last = text;
      this.seenAt = now;
    }
  }
}
