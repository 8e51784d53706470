import { describe, expect, it } from "vitest";
import { renewalContent } from "./renewal";

describe("what the old key signs for the new one", () => {
  it("begins with words that no signed attributes begin with, and ends with the whole request", () => {
    const content = renewalContent(Uint8Array.from([0x30, 0x01, 0xff]));
    // As in pki/renewal.py, which tests/pki/test_renewal.py holds to the same bytes.
    expect(new TextDecoder().decode(content.slice(0, -3))).toBe("Ky Vao: renewal of a certificate\u0000");
    expect([...content.slice(-3)]).toEqual([0x30, 0x01, 0xff]);
  });
});
