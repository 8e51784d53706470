import { describe, expect, it } from "vitest";
import { base64, pause, readText } from "./messages";

describe("what the server answers", () => {
  it("is a text where a text is expected", () => {
    expect(readText({ href: "/certificates/" }, "href")).toBe("/certificates/");
  });
  it.each([null, 7, [], { href: 7 }])("is refused when it is %j", (value) => {
    expect(() => readText(value, "href")).toThrow(TypeError);
  });
  it("may leave out what is optional", () => {
    expect(readText({}, "detail", "")).toBe("");
  });
});

describe("a request as text", () => {
  it("is plain base64", () => {
    expect(base64(Uint8Array.from([0x30, 0xff, 0x00]))).toBe("MP8A");
  });
});

describe("looking again", () => {
  it("begins quickly and becomes patient", () => {
    expect([pause(0), pause(1), pause(50)]).toEqual([2_000, 3_000, 30_000]);
  });
});
