// What the tablet and the server say to each other. Everything that comes back passes a parser before it is believed.

import type { Outcome } from "../passes/decision";

export interface Lists {
  readonly now: Date;
  readonly building: string;
  readonly zone: number;
  readonly trustList: Uint8Array<ArrayBuffer>;
  readonly statusList: Uint8Array<ArrayBuffer>;
  readonly formToken: string;
}

/** What the server decided about one scan. `facts` are short texts to be put into the sentence of the reason. */
export interface Answer {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly guest: { readonly name: string; readonly organisation: string; readonly meeting: string } | null;
  readonly portraitUrl: string | null;
}

/** The tablet was revoked, or its cookie is gone: it must be enrolled again. */
export class NotEnrolled extends Error {}

/** The server did not answer, or not in words that this page knows. */
export class NoAnswer extends Error {}

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
    formToken: text(body["form_token"]),
  };
}

export interface ScanMessage {
  readonly scan_id: string;
  readonly digits: string;
  readonly scanned_at: string;
  readonly outcome: Outcome;
  readonly reason: string;
}

export async function sendScan(message: ScanMessage, formToken: string): Promise<Answer> {
  const body = await ask("/gate/scans", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": formToken },
    body: JSON.stringify(message),
    signal: AbortSignal.timeout(5000),
  });
  const outcome = body["outcome"];
  if (!isOutcome(outcome)) throw new NoAnswer("outcome");
  const guest = body["guest"] === null ? null : record(body["guest"]);
  const facts = Object.entries(record(body["facts"])).map(([name, value]) => [name, text(value)] as const);
  return {
    outcome,
    reason: text(body["reason"]),
    facts: Object.fromEntries(facts),
    guest: guest && { name: text(guest["name"]), organisation: text(guest["organisation"]), meeting: text(guest["meeting"]) },
    portraitUrl: body["portrait_url"] === null ? null : text(body["portrait_url"]),
  };
}

export async function sendFace(scanId: string, matches: boolean, formToken: string): Promise<void> {
  const answer = await fetch(`/gate/scans/${scanId}/face`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": formToken },
    body: JSON.stringify({ matches }),
  });
  if (!answer.ok) throw new NoAnswer(String(answer.status));
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
