import { readFileSync } from "node:fs";
import decodeQR from "qr/decode.js";
import { describe, expect, it } from "vitest";
import { isFresh, split } from "../passes/rotating";
import { encodeDigits } from "../passes/digits";
import { ChangingCode } from "./changing_code";

const path = new URL("../../../../tests/data/passes/vectors.json", import.meta.url);
const { rotating } = JSON.parse(readFileSync(path, "utf-8")) as { rotating: { pass_key: string; token: string } };
const key = Uint8Array.from(Buffer.from(rotating.pass_key, "base64"));
const token = Uint8Array.from(Buffer.from(rotating.token, "base64"));

/** Paint the path as squares of four pixels, and read it as a gate does. */
function read(drawn: string, size: number): string {
  const scale = 4;
  const data = new Uint8Array((size * scale) ** 2 * 4).fill(255);
  for (const [, x, y] of drawn.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let row = 0; row < scale; row++) {
      const at = ((Number(y) * scale + row) * size * scale + Number(x) * scale) * 4;
      for (let pixel = 0; pixel < scale; pixel++) data.fill(0, at + pixel * 4, at + pixel * 4 + 3);
    }
  }
  return decodeQR({ width: size * scale, height: size * scale, data });
}

function made(): { code: ChangingCode; shown: () => string } {
  let last = "";
  const code = new ChangingCode(encodeDigits(token), key, (drawn, size) => {
    last = read(drawn, size);
  });
  return { code, shown: () => last };
}

describe("the code on a guest's page", () => {
  it("is read as the pass and the code of now, and no longer fresh a minute later", async () => {
    const { code, shown } = made();
    const now = Date.parse("2026-11-23T01:00:10Z");
    await code.redraw(now);
    const { token: seen, code: six } = split(shown());
    expect(seen).toEqual(token);
    expect(await isFresh(six, key, new Date(now))).toBe(true);
    expect(await isFresh(six, key, new Date(now + 61_000))).toBe(false);
  });

  it("follows the city's clock where the phone's is wrong", async () => {
    const { code, shown } = made();
    const theirs = "Mon, 23 Nov 2026 01:00:10 GMT";
    const ours = Date.parse(theirs) - 3 * 3_600_000;
    await code.heard(theirs, ours);
    expect(await isFresh(split(shown()).code, key, new Date(theirs))).toBe(true);
    expect(code.left(ours)).toBe(20_000);
    await code.heard("no date", ours + 1_000);
    expect(code.left(ours + 1_000)).toBe(19_000);
  });
});
