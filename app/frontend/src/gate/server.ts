// What the tablet and the server say to each other. Everything that comes back passes a parser before it is believed.

import { asArray, asBytes, asNatural, decode, type Bytes } from "../passes/cbor";
import type { Outcome, Reason } from "../passes/decision";
import { isReason } from "../passes/scan_event";
import type { Receipt } from "./log";
import type { KeptEvent } from "./store";

export interface Lists {
  readonly now: Date;
  readonly building: string;
  readonly zone: number;
  readonly trustList: Uint8Array<ArrayBuffer>;
  readonly statusList: Uint8Array<ArrayBuffer>;
  readonly lease: Uint8Array<ArrayBuffer> | null;
  readonly formToken: string;
  /** The keys of changing codes, by the day on which a pass begins to hold. */
  readonly dayKeys: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
}

/** What the server decided about one scan. `facts` are short texts to be put into the sentence of the reason. */
export interface Answer {
  readonly outcome: Outcome;
  readonly reason: Reason;
  readonly facts: Readonly<Record<string, string>>;
  readonly guest: { readonly name: string; readonly organisation: string; readonly meeting: string } | null;
  readonly portraitUrl: string | null;
}

/** The tablet was revoked, or its cookie is gone: it must be enrolled again. */
export class NotEnrolled extends Error {}

/** The server did not answer, or not in words that this page knows. */
export class NoAnswer extends Error {}

// A guest waits no longer than this for the network; then the tablet decides by itself.
const ANSWER_MS = 1_500;
// No form of another site can send this head.
const HOT = { "Content-Type": "application/json", "X-Kyvao-Gate": "1" };
const OUTCOMES: readonly string[] = ["admit", "refuse", "look_again"];

export function isOutcome(value: unknown): value is Outcome {
  return typeof value === "string" && OUTCOMES.includes(value);
}

export async function fetchLists(signal: AbortSignal): Promise<Lists> {
  const body = await ask("/gate/lists", { signal });
  const checkpoint = record(body["checkpoint"]);
  return {
    now: new Date(text(body["now"])),
    building: text(checkpoint["building"]),
    zone: whole(checkpoint["zone"]),
    trustList: bytes(text(body["trust_list"])),
    statusList: bytes(text(body["status_list"])),
    lease: body["lease"] === null ? null : bytes(text(body["lease"])),
    formToken: text(body["form_token"]),
    dayKeys: Object.fromEntries(Object.entries(record(body["day_keys"])).map(([day, key]) => [day, bytes(text(key))])),
  };
}

export interface ScanMessage {
  readonly scan_id: string;
  readonly digits: string;
  readonly scanned_at: string;
  readonly outcome: Outcome;
  readonly reason: string;
  /** In hexadecimal digits. */
  readonly boot_id: string;
}

export async function sendScan(message: ScanMessage): Promise<Answer> {
  const body = await ask("/gate/scans", {
    method: "POST",
    headers: HOT,
    body: JSON.stringify(message),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const outcome = body["outcome"];
  const reason = body["reason"];
  if (!isOutcome(outcome) || !isReason(reason)) throw new NoAnswer("outcome");
  const guest = body["guest"] === null ? null : record(body["guest"]);
  const facts = Object.entries(record(body["facts"])).map(([name, value]) => [name, text(value)] as const);
  return {
    outcome,
    reason,
    facts: Object.fromEntries(facts),
    guest: guest && { name: text(guest["name"]), organisation: text(guest["organisation"]), meeting: text(guest["meeting"]) },
    portraitUrl: body["portrait_url"] === null ? null : text(body["portrait_url"]),
  };
}

/** Send entries of the log; see app/gate/events.py. */
export async function sendEvents(events: readonly KeptEvent[]): Promise<Receipt> {
  const rows = events.map(({ event, signature, salt, digits }) => ({
    event: base64(event),
    signature: base64(signature),
    salt: base64(salt),
    digits,
  }));
  const body = await ask("/gate/v1/events", {
    method: "POST",
    headers: HOT,
    body: JSON.stringify({ events: rows }),
    signal: AbortSignal.timeout(20_000),
  });
  return { contiguous: whole(body["contiguous"]), isVoid: body["void"] === true };
}

/** Fetch the roster, or what changed since the one held; null where nothing did. */
export async function fetchRoster(held: { readonly id: string; readonly version: number } | null): Promise<RosterUpdate | null> {
  const known = held === null ? "" : `?roster=${held.id}&version=${held.version}`;
  let answer: Response;
  try {
    answer = await fetch(`/gate/roster${known}`, { signal: AbortSignal.timeout(60_000), headers: { Accept: "application/json" } });
  } catch (error) {
    throw new NoAnswer("network", { cause: error });
  }
  if (answer.status === 401) throw new NotEnrolled();
  if (answer.status === 204) return null;
  if (!answer.ok) throw new NoAnswer(String(answer.status));
  const [header, since, removed, entries] = asArray(decode(new Uint8Array(await answer.arrayBuffer())));
  return {
    id: answer.headers.get("Roster-Id") ?? "",
    header: asBytes(header),
    isWhole: asNatural(since) === 0,
    removed: asBytes(removed),
    entries: asBytes(entries),
  };
}

export interface RosterUpdate {
  readonly id: string;
  readonly header: Bytes;
  readonly isWhole: boolean;
  readonly removed: Bytes;
  readonly entries: Bytes;
}

async function ask(path: string, init: RequestInit): Promise<Record<string, unknown>> {
  let answer: Response;
  try {
    answer = await fetch(path, { ...init, headers: { Accept: "application/json", ...init.headers } });
  } catch (error) {
    throw new NoAnswer("network", { cause: error });
  }
  if (answer.status === 401) throw new NotEnrolled();
  if (!answer.ok) throw new NoAnswer(String(answer.status));
  return record(await answer.json());
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw new NoAnswer("not an object");
  return value as Record<string, unknown>;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new NoAnswer("not a text");
  return value;
}

function whole(value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value)) throw new NoAnswer("not a whole number");
  return value;
}

export function bytes(base64: string): Uint8Array<ArrayBuffer> {
  const raw = atob(base64);
  const out = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at++) out[at] = raw.charCodeAt(at);
  return out;
}

function base64(data: Bytes): string {
  let text = "";
  for (const byte of data) text += String.fromCharCode(byte);
  return btoa(text);
}
