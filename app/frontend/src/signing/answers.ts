// What the server says, read into types; anything else is an error, never a guess.

import type { Bytes } from "../browser_keys/der";
import type { ByteRange } from "./byte_range";
import { isCorner, type Place } from "./placement";

export class Unreadable extends Error {}

export interface PageCertificate {
  readonly sha256: string;
  readonly der: Bytes;
  readonly validUntil: string;
}

export interface PageData {
  readonly documentUrl: string;
  readonly prepareUrl: string;
  readonly baseNumber: number;
  readonly pages: number;
  /** The document has a place of its own for this signature. */
  readonly isFixed: boolean;
  readonly mark: { readonly widthMm: number; readonly heightMm: number };
  readonly certificates: readonly PageCertificate[];
  /** Where a place for the mark is proposed. */
  readonly placeUrl: string;
  /** Of several papers that are signed one after the other; undefined for one alone. */
  readonly queue: Queue | undefined;
}

export interface Queue {
  /** The next paper, or the list of all behind the last. */
  readonly nextUrl: string;
}

export interface Proposal extends Place {
  /** From 1. */
  readonly page: number;
}

export interface Prepared {
  readonly preparedUrl: string;
  readonly completeUrl: string;
  readonly byteRange: ByteRange;
  readonly documentDigest: string;
  readonly signedAttributes: Bytes;
  /** The page of the mark, from 1; undefined where nothing is to be seen. */
  readonly page: number | undefined;
  /** What measures a head's own place on that page; empty anywhere else. */
  readonly ruler: readonly Measure[];
}

/** A line over the page, in millimetres from its lower left corner, and its length in words. */
export interface Measure {
  readonly begins: readonly [number, number];
  readonly ends: readonly [number, number];
  readonly sentence: string;
}

export interface Completed {
  readonly number: number;
  readonly signedAt: string;
  readonly downloadUrl: string;
  readonly documentUrl: string;
  readonly timestampPending: boolean;
}

export interface Problem {
  readonly title: string;
  readonly detail: string;
}

export function readPageData(value: unknown): PageData {
  const data = record(value);
  const mark = record(data["mark"]);
  return {
    documentUrl: ownPath(data["documentUrl"]),
    prepareUrl: ownPath(data["prepareUrl"]),
    baseNumber: number(data["baseNumber"]),
    pages: number(data["pages"]),
    isFixed: data["isFixed"] === true,
    mark: { widthMm: number(mark["widthMm"]), heightMm: number(mark["heightMm"]) },
    certificates: list(data["certificates"]).map((one) => {
      const certificate = record(one);
      return {
        sha256: text(certificate["sha256"]),
        der: base64(certificate["der"]),
        validUntil: text(certificate["validUntil"]),
      };
    }),
    placeUrl: ownPath(data["placeUrl"]),
    queue: data["queue"] == null ? undefined : { nextUrl: ownPath(record(data["queue"])["nextUrl"]) },
  };
}

/** A place for the mark, undefined where the server knows none. */
export function readProposal(value: unknown): Proposal | undefined {
  const found = record(value)["place"];
  if (found == null) return undefined;
  const place = record(found);
  const corner = text(place["corner"]);
  if (!isCorner(corner)) throw new Unreadable("not a corner");
  return { page: number(place["page"]), corner, xMm: number(place["xMm"]), yMm: number(place["yMm"]) };
}

export function readPrepared(value: unknown): Prepared {
  const data = record(value);
  const [start, gapStart, gapEnd, tail, ...more] = list(data["byteRange"]).map(number);
  if (start === undefined || gapStart === undefined || gapEnd === undefined || tail === undefined || more.length > 0) {
    throw new Unreadable("byteRange");
  }
  return {
    preparedUrl: ownPath(data["preparedUrl"]),
    completeUrl: ownPath(data["completeUrl"]),
    byteRange: [start, gapStart, gapEnd, tail],
    documentDigest: text(data["documentDigest"]),
    signedAttributes: base64(data["signedAttributes"]),
    page: data["page"] == null ? undefined : number(data["page"]),
    ruler: list(data["ruler"]).map(readMeasure),
  };
}

function readMeasure(value: unknown): Measure {
  const measure = record(value);
  return { begins: point(measure["begins"]), ends: point(measure["ends"]), sentence: text(measure["sentence"]) };
}

function point(value: unknown): readonly [number, number] {
  const [x, y, ...more] = list(value).map(number);
  if (x === undefined || y === undefined || more.length > 0) throw new Unreadable("not a point");
  return [x, y];
}

export function readCompleted(value: unknown): Completed {
  const data = record(value);
  return {
    number: number(data["number"]),
    signedAt: text(data["signedAt"]),
    downloadUrl: ownPath(data["downloadUrl"]),
    documentUrl: ownPath(data["documentUrl"]),
    timestampPending: data["timestampPending"] === true,
  };
}

/** A problem document (RFC 9457) as the house writes them. */
export function readProblem(value: unknown): Problem {
  const data = record(value);
  const detail = data["detail"];
  const reference = typeof data["reference"] === "string" ? ` (${data["reference"]})` : "";
  return { title: text(data["title"]), detail: `${typeof detail === "string" ? detail : ""}${reference}`.trim() };
}

/** Sentences by name, some one level deeper. */
export function readWords(value: unknown): (name: string) => string {
  const words = record(value);
  return (name) => {
    const [first = "", second] = name.split(".");
    const found = words[first];
    return text(second === undefined ? found : record(found)[second]);
  };
}

export function toBase64(octets: Bytes): string {
  return btoa(String.fromCharCode(...octets));
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Unreadable("not an object");
  return Object.fromEntries(Object.entries(value));
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Unreadable("not a list");
  return value.map((one: unknown) => one);
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new Unreadable("not a text");
  return value;
}

function number(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Unreadable("not a number");
  return value;
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
