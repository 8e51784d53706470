import { describe, expect, it } from "vitest";
import { readCard } from "./card";

const CARD = "001085123456|012345678|Nguyễn Văn An|03051985|Nam|12 Trần Phú, Hải Châu, Đà Nẵng|02092021";

describe("the code of an identity card", () => {
  it("gives the number and the name, and nothing else", () => {
    expect(readCard(CARD)).toEqual({ number: "001085123456", name: "Nguyễn Văn An" });
  });

  it("is read without an old number and with the further fields of newer cards", () => {
    expect(readCard(`${CARD.replace("012345678", "")}||Nguyễn Thị B|Trần Văn C|x`)?.name).toBe("Nguyễn Văn An");
  });

  it.each([
    ["six fields", CARD.split("|").slice(0, 6).join("|")],
    ["eleven digits", CARD.slice(1)],
    ["a name with signs", CARD.replace("An", "<An>")],
    ["a day of birth with letters", CARD.replace("03051985", "03/05/85")],
    ["an old number that is too short", CARD.replace("012345678", "0123")],
    ["a text without end", CARD + "|x".repeat(1_000)],
    ["digits of a pass", "79100012345678901234567890"],
    ["nothing", ""],
  ])("is refused with %s", (_, text) => {
    expect(readCard(text)).toBeNull();
  });
});
