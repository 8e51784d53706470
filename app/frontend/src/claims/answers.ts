// What the server says about a code, and what a person pasted, read into types; anything else is an error.

import type { Bytes } from "../passes/cbor";

export class Unreadable extends Error {}

export const STANDINGS = ["unknown", "genuine", "in_force", "replaced", "withdrawn"] as const;
export type Standing = (typeof STANDINGS)[number];

/** What the register tells beside the standing, as far as the document's class allows. */
export const FACTS = ["number", "day", "agency", "title", "signer", "replacedBy", "withdrawnAt"] as const;
export type Fact = (typeof FACTS)[number];

export interface Comparison {
  readonly standing: Standing;
  readonly facts: ReadonlyMap<Fact, string>;
  readonly issuedSha256: string | null;
  readonly fileUrl: string | null;
}

export interface KeyAnswer {
  readonly list: Bytes;
  readonly key: Bytes;
}

export interface PageData {
  readonly keysUrl: string;
  readonly compareUrl: string;
  readonly offlineUrl: string;
  readonly pageUrl: string;
}

export function readPageData(value: unknown): PageData {
  const data = record(value);
  return {
    keysUrl: text(data["keysUrl"]),
    compareUrl: text(data["compareUrl"]),
    offlineUrl: text(data["offlineUrl"]),
    pageUrl: text(data["pageUrl"]),
  };
}

export function readKeys(value: unknown): KeyAnswer {
  const data = record(value);
  return { list: base64(data["list"]), key: base64(data["key"]) };
}

export function readComparison(value: unknown): Comparison {
  const data = record(value);
  const standing = STANDINGS.find((one) => one === data["standing"]);
  if (standing === undefined) throw new Unreadable("standing");
  const facts = new Map<Fact, string>();
  for (const name of FACTS) {
    const found = optional(data[name === "day" ? "issuedOn" : name]);
    if (found !== null) facts.set(name, found);
  }
  const fileUrl = optional(data["fileUrl"]);
  if (fileUrl !== null && !/^\/D\/files\/[0-9a-f]+$/.test(fileUrl)) throw new Unreadable("fileUrl");
  return { standing, facts, issuedSha256: optional(data["issuedSha256"]), fileUrl };
}

/** The digits in what a camera, a keyboard scanner or a person gives: an address with them behind `#`, or they alone. */
export function digitsIn(given: string): string {
  return given.slice(given.indexOf("#") + 1).replace(/\s/g, "");
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Unreadable("not an object");
  return Object.fromEntries(Object.entries(value));
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new Unreadable("not a text");
  return value;
}

function optional(value: unknown): string | null {
  return value === null || value === undefined ? null : text(value);
}

function base64(value: unknown): Bytes {
  try {
    return Uint8Array.from(atob(text(value)), (letter) => letter.charCodeAt(0));
  } catch (error) {
    throw new Unreadable("not base64", { cause: error });
  }
}
