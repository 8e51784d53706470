import { describe, expect, it } from "vitest";
import { readChart } from "./messages";

describe("the chart that a page hands over", () => {
  it("is read with its kind and tone", () => {
    const chart = readChart({ labels: ["a", "b"], values: [1, 0], columns: true, tone: "danger", title: "x" });
    expect(chart).toEqual({ labels: ["a", "b"], values: [1, 0], columns: true, tone: "danger" });
  });

  it("lies down and is blue when nothing else is said", () => {
    expect(readChart({ labels: [], values: [] })).toMatchObject({ columns: false, tone: "action" });
  });

  it.each([null, "x", {}, { labels: ["a"] }, { labels: ["a"], values: [] }, { labels: [1], values: [1] }, { labels: ["a"], values: ["1"] }, { labels: ["a"], values: [1.5] }])(
    "is refused as %j",
    (value) => {
      expect(() => readChart(value)).toThrow(TypeError);
    },
  );
});
