// What the page of a filled form says, read into types; anything else is an error.

import type { Bytes } from "../browser_keys/der";
import { Unreadable, type PageCertificate } from "../signing/answers";

export interface FormPage {
  readonly documentUrl: string;
  readonly prepareUrl: string;
  readonly baseNumber: number;
  readonly pages: number;
  /** Where the mark stands, as the server takes it. */
  readonly place: Readonly<Record<string, string | number>>;
  readonly certificates: readonly PageCertificate[];
}

export function readFormPage(value: unknown): FormPage {
  const data = record(value);
  const certificates: unknown = data["certificates"];
  if (!Array.isArray(certificates)) throw new Unreadable("certificates");
  return {
    documentUrl: ownPath(data["documentUrl"]),
    prepareUrl: ownPath(data["prepareUrl"]),
    baseNumber: count(data["baseNumber"]),
    pages: count(data["pages"]),
    place: readPlace(data["place"]),
    certificates: certificates.map((one: unknown) => {
      const certificate = record(one);
      return {
        sha256: text(certificate["sha256"]),
        der: base64(certificate["der"]),
        validUntil: text(certificate["validUntil"]),
      };
    }),
  };
}

/** Say whether `file` is `base` and something behind it: then what was shown is what is signed. */
export function continues(file: Bytes, base: Bytes): boolean {
  return file.length > base.length && base.every((byte, at) => byte === file[at]);
}

function readPlace(value: unknown): Readonly<Record<string, string | number>> {
  const place = record(value);
  const corner = text(place["corner"]);
  const numbers = ["page", "xMm", "yMm"].map((name) => [name, number(place[name])] as const);
  return { corner, ...Object.fromEntries(numbers) };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Unreadable("not an object");
  return Object.fromEntries(Object.entries(value));
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new Unreadable("not a text");
  return value;
}

function number(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Unreadable("not a number");
  return value;
}

function count(value: unknown): number {
  const found = number(value);
  if (!Number.isInteger(found) || found < 1) throw new Unreadable("not a count");
  return found;
}

function ownPath(value: unknown): string {
  const path = text(value);
  if (!/^\/[^/\\]/.test(path)) throw new Unreadable("not a path of this site");
  return path;
}

function base64(value: unknown): Bytes {
  try {
    return Uint8Array.from(atob(text(value)), (letter) => letter.charCodeAt(0));
  } catch (error) {
    throw new Unreadable("not base64", { cause: error });
  }
}
