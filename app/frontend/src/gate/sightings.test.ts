import { describe, expect, it } from "vitest";
import { Sightings } from "./sightings";

/** Show frames of `every` ms, each [seconds, code]; return what was taken and when. */
function watch(film: [number, string | undefined][], hasTime: (now: number) => boolean = () => true): string[] {
  const sightings = new Sightings();
  const taken: string[] = [];
  let now = 0;
  for (const [seconds, code] of film) {
    for (const end = now + seconds * 1000; now < end; now += 100) {
      sightings.frame(code, now, (text) => {
        if (!hasTime(now)) return false;
        taken.push(`${text}@${now}`);
        return true;
      });
    }
  }
  return taken;
}

describe("a code in view", () => {
  it("is taken once however long it is held up", () => {
    expect(watch([[20, "a"]])).toEqual(["a@0"]);
  });

  it("is taken again after it was gone for a moment", () => {
    expect(watch([[2, "a"], [0.5, undefined], [2, "a"]])).toEqual(["a@0", "a@2500"]);
  });

  it("is not taken again after a blurred frame", () => {
    expect(watch([[2, "a"], [0.2, undefined], [2, "a"]])).toEqual(["a@0"]);
  });

  it("gives way at once to another one", () => {
    expect(watch([[1, "a"], [1, "b"]])).toEqual(["a@0", "b@1000"]);
  });

  it("waits in view until the guard has time for it", () => {
    expect(watch([[1, "a"], [4, "b"]], (now) => now < 1000 || now >= 3000)).toEqual(["a@0", "b@3000"]);
  });

  it("that the guard is still looking at must leave the view before it is taken again", () => {
    const busyUntilFour = (now: number): boolean => now < 1000 || now >= 4000;
    expect(watch([[1, "a"], [1, undefined], [4, "a"], [0.5, undefined], [1, "a"]], busyUntilFour)).toEqual([
      "a@0",
      "a@6500",
    ]);
  });
});
