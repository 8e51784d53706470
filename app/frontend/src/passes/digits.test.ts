import { describe, expect, it } from "vitest";
import { decodeDigits } from "./digits";
import { PassRejected } from "./faults";

function encode(data: Uint8Array): string {
  const length = Math.ceil(data.length * 8 * Math.log10(2));
  const number = data.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return `791${number.toString().padStart(length, "0")}`;
}

function faultOf(digits: string): string | null {
  try {
    decodeDigits(digits);
    return null;
  } catch (error) {
    return error instanceof PassRejected ? error.fault : String(error);
  }
}

describe("the digits of a code", () => {
  it.each(Array.from({ length: 128 }, (_, before) => before + 1))("are read at %i bytes, zeros and all", (size) => {
    for (const fill of [0, 1, 255]) {
      const data = new Uint8Array(size).fill(fill);
      expect(decodeDigits(encode(data))).toEqual(data);
    }
  });

  it.each(["", "7", "https://songbiec.example/", "WIFI:S:x;;", "tel:113", "javascript:alert(1)", " 791", "7９1", "79१"])(
    "are no pass: %j",
    (text) => expect(faultOf(text)).toBe("not_ours"),
  );

  it.each(["79", "791", "7911", "791999", "792000", `791${"1".repeat(400)}`])("are damaged: %j", (text) =>
    expect(faultOf(text)).toBe("malformed"),
  );

  it("end with the text: a line break belongs to no code", () => {
    expect(faultOf("791000\n")).toBe("not_ours");
  });
});
