// What the server sends to a warden's phone, read into types; anything else is an error.

import { type Building, type Mark, MARKS, type Person, type Sheet } from "./roll";

/** The sealed sheet as it travels, the key that opens it, and until when both may be kept. */
export interface Sealed {
  readonly sealed: Uint8Array<ArrayBuffer>;
  readonly key: Uint8Array<ArrayBuffer>;
  readonly until: Date;
  /** What tells a changed sheet from this one. */
  readonly tag: string;
  readonly formToken: string;
}

/** The sheet that the phone has was still right at that moment. */
export interface Unchanged {
  readonly unchangedAt: string;
  readonly formToken: string;
}

export function readAnswer(value: unknown): Sealed | Unchanged {
  const body = record(value);
  const formToken = text(body["formToken"]);
  if (body["unchangedAt"] !== undefined) return { unchangedAt: text(body["unchangedAt"]), formToken };
  const until = new Date(text(body["until"]));
  if (Number.isNaN(until.getTime())) throw new TypeError("not a time");
  return { sealed: base64(body["sealed"]), key: base64(body["key"]), until, tag: text(body["tag"]), formToken };
}

export function readSheet(value: unknown): Sheet {
  const body = record(value);
  return { madeAt: text(body["madeAt"]), buildings: list(body["buildings"]).map(readBuilding) };
}

export function readKept(value: unknown): string[] {
  return list(record(value)["kept"]).map(text);
}

function readBuilding(value: unknown): Building {
  const body = record(value);
  return {
    id: text(body["id"]),
    name: text(body["name"]),
    startedAt: body["startedAt"] === null ? null : text(body["startedAt"]),
    zones: list(body["zones"]).map((one) => ({ number: whole(record(one)["number"]), name: text(record(one)["name"]) })),
    people: list(body["people"]).map(readPerson),
    marks: list(body["marks"]).map(readMark),
  };
}

function readPerson(value: unknown): Person {
  const body = record(value);
  return {
    id: text(body["id"]),
    name: text(body["name"]),
    find: text(body["find"]),
    zone: whole(body["zone"]),
    place: text(body["place"]),
    host: text(body["host"]),
  };
}

function readMark(value: unknown): Mark {
  const body = record(value);
  const mark = MARKS.find((one) => one === body["mark"]);
  if (mark === undefined) throw new TypeError("not a mark");
  return {
    id: text(body["id"]),
    buildingId: text(body["buildingId"]),
    personId: text(body["personId"]),
    mark,
    at: text(body["at"]),
  };
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw new TypeError("not a record");
  return value as Record<string, unknown>;
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new TypeError("not a list");
  return value;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("not a text");
  return value;
}

function whole(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new TypeError("not a whole number");
  return value as number;
}

function base64(value: unknown): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text(value)), (letter) => letter.charCodeAt(0));
}
