import { describe, expect, it } from "vitest";
import { readPrepared, Unreadable } from "./answers";
import { pathOf } from "./ruler";

const PAGE = { widthMm: 210, heightMm: 297 };
const ANSWER = {
  preparedUrl: "/a",
  completeUrl: "/b",
  byteRange: [0, 1, 2, 3],
  documentDigest: "00",
  signedAttributes: "AA==",
  page: 1,
};

describe("the ruler", () => {
  it("draws an upright line with a stroke across either end, from the upper left", () => {
    expect(pathOf([{ begins: [150, 60], ends: [150, 65], sentence: "" }], PAGE)).toBe(
      "M150.00 237.00L150.00 232.00M148.80 237.00L151.20 237.00M148.80 232.00L151.20 232.00",
    );
  });

  it("draws a level line with upright strokes", () => {
    expect(pathOf([{ begins: [10, 97], ends: [20, 97], sentence: "" }], PAGE)).toBe(
      "M10.00 200.00L20.00 200.00M10.00 198.80L10.00 201.20M20.00 198.80L20.00 201.20",
    );
  });

  it("is read from the answer", () => {
    const ruler = [{ begins: [1, 2], ends: [3, 4], sentence: "5,0 mm" }];
    expect(readPrepared({ ...ANSWER, ruler }).ruler).toEqual(ruler);
  });

  it.each([undefined, [{}], [{ begins: [1], ends: [3, 4], sentence: "" }], [{ begins: [1, 2, 3], ends: [3, 4], sentence: "" }]])(
    "of another form is refused: %j",
    (ruler) => {
      expect(() => readPrepared({ ...ANSWER, ruler })).toThrow(Unreadable);
    },
  );
});
