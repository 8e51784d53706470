import { describe, expect, it } from "vitest";
import { type Building, counting, counts, fold, lines, type Mark, type MarkKind, matching } from "./roll";

const AT = "2026-11-23T03:00:00.000Z";

function mark(id: string, personId: string, kind: MarkKind, at = AT): Mark {
  return { id, buildingId: "b", personId, mark: kind, at };
}

function person(id: string, name: string, zone = 0): Building["people"][number] {
  return { id, name, find: fold(name), zone, place: "", host: "" };
}

function building(marks: readonly Mark[] = []): Building {
  const people = [person("p1", "Nguyễn Thị Lan"), person("p2", "Đỗ Văn Khách", 2), person("p3", "Trần Bình")];
  return { id: "b", name: "TSC", startedAt: null, zones: [], people, marks };
}

describe("the mark that counts", () => {
  it("is the newest, in whatever order and zone of time marks arrive", () => {
    const early = mark("b", "p1", "missing");
    const late = mark("a", "p1", "safe", "2026-11-23T10:00:01.000+07:00");
    expect(counting([early, late]).get("p1")).toBe(late);
    expect(counting([late, early]).get("p1")).toBe(late);
  });

  it("is the one with the greater id among equals, as on the server", () => {
    const found = [mark("a", "p1", "safe"), mark("b", "p1", "missing")];
    expect(counting(found).get("p1")?.id).toBe("b");
    expect(counting(found.toReversed()).get("p1")?.id).toBe("b");
  });
});

describe("the roll of a building", () => {
  it("shows the missing first, then whom nobody has marked, then the others", () => {
    const found = lines(building([mark("a", "p2", "safe")]), [mark("b", "p3", "missing")], new Set(["b"]));
    expect(found.map((line) => [line.person.id, line.mark, line.waits])).toEqual([
      ["p3", "missing", true],
      ["p1", null, false],
      ["p2", "safe", false],
    ]);
    expect(counts(found)).toEqual({ safe: 1, missing: 1, not_inside: 0, unmarked: 1 });
  });

  it("leaves out marks of this phone about another building", () => {
    const other = { ...mark("a", "p1", "safe"), buildingId: "c" };
    expect(counts(lines(building(), [other], new Set()))).toMatchObject({ safe: 0, unmarked: 3 });
  });

  it("is searched without marks, by zone, and for those not marked yet", () => {
    const found = lines(building([mark("a", "p2", "safe")]), [], new Set());
    const all = { text: "", zone: null, unmarked: false };
    const ids = (wanted: Parameters<typeof matching>[1]): string[] => matching(found, wanted).map((one) => one.person.id);
    expect(ids({ ...all, text: "do van" })).toEqual(["p2"]);
    expect(ids({ ...all, text: " NGUYỄN  thi" })).toEqual(["p1"]);
    expect(ids({ ...all, zone: 2 })).toEqual(["p2"]);
    expect(ids({ ...all, unmarked: true })).toEqual(["p1", "p3"]);
  });
});

it.each([
  ["Nguyễn  Đức", "nguyen duc"],
  ["ĐẶNG Thuỳ", "dang thuy"],
  ["", ""],
])("%s is folded as the server folds it", (name, folded) => {
  expect(fold(name)).toBe(folded);
});
