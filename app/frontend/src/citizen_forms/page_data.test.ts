import { describe, expect, it } from "vitest";
import { Unreadable } from "../signing/answers";
import { continues, readFormPage } from "./page_data";

const GOOD = {
  documentUrl: "/forms/submissions/1/content",
  prepareUrl: "/documents/1/signatures",
  baseNumber: 1,
  pages: 2,
  place: { page: 1, corner: "top_left", xMm: 120, yMm: 200.5 },
  certificates: [{ sha256: "ab", der: "AQID", validUntil: "22/11/2027" }],
};

describe("the data of the page of a form", () => {
  it("is read", () => {
    const read = readFormPage(GOOD);
    expect(read.place).toEqual(GOOD.place);
    expect([...(read.certificates[0]?.der ?? [])]).toEqual([1, 2, 3]);
  });

  it.each([
    ["another site", { documentUrl: "https://songbiec.example/x" }],
    ["another site in short", { prepareUrl: "//songbiec.example/x" }],
    ["half a page", { pages: 1.5 }],
    ["no version", { baseNumber: 0 }],
    ["no place", { place: null }],
    ["a place without a number", { place: { page: 1, corner: "top_left", xMm: "1", yMm: 2 } }],
    ["certificates that are no list", { certificates: {} }],
    ["what is not base64", { certificates: [{ sha256: "ab", der: "%", validUntil: "" }] }],
  ])("is refused with %s", (_name, changes) => {
    expect(() => readFormPage({ ...GOOD, ...changes })).toThrow(Unreadable);
  });
});

describe("what is signed", () => {
  const base = new Uint8Array([1, 2, 3]);
  it("continues what was shown", () => expect(continues(new Uint8Array([1, 2, 3, 4]), base)).toBe(true));
  it.each([
    ["the same", [1, 2, 3]],
    ["another beginning", [1, 2, 4, 4]],
    ["less", [1]],
  ])("is not %s", (_name, bytes) => expect(continues(new Uint8Array(bytes), base)).toBe(false));
});
