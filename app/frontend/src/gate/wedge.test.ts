import { describe, expect, it } from "vitest";
import { WedgeReader } from "./wedge";

function type(reader: WedgeReader, digits: string, gap: number, end = "Enter"): string | null {
  let at = 1000;
  for (const digit of digits) {
    reader.take(`Digit${digit}`, (at += gap));
  }
  return reader.take(end, at + gap);
}

describe("a keyboard scanner", () => {
  it("is read when it types fast and ends with Enter or Tab", () => {
    expect(type(new WedgeReader(), "7911234567890", 5)).toBe("7911234567890");
    expect(type(new WedgeReader(), "7911234567890", 5, "Tab")).toBe("7911234567890");
  });

  it("is not mistaken for a person who types slowly", () => {
    expect(type(new WedgeReader(), "7911234567890", 120)).toBeNull();
  });

  it("begins anew after a key that is no digit", () => {
    const reader = new WedgeReader();
    reader.take("Digit1", 0);
    reader.take("KeyA", 5);
    expect(type(reader, "7911234567890", 5)).toBe("7911234567890");
  });

  it("is not read when only a few digits were typed", () => {
    expect(type(new WedgeReader(), "791", 5)).toBeNull();
  });

  it("reads the place of the key, so the numeric pad counts too", () => {
    const reader = new WedgeReader();
    let at = 0;
    for (const digit of "7911234567890") reader.take(`Numpad${digit}`, (at += 5));
    expect(reader.take("NumpadEnter", at + 5)).toBe("7911234567890");
  });
});
