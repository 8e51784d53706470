// What a warden's phone and the server say to each other.

import { readAnswer, readKept, type Sealed, type Unchanged } from "./messages";
import type { Mark } from "./roll";

/** The session is over: somebody has to sign in before the phone is told anything more. */
export class SignedOut extends Error {}

/** Whoever is signed in here calls no roll (any more). */
export class NotWarden extends Error {}

const PATIENCE_MS = 8_000;

/** Fetch the sheet; `have` is the tag of the one that this page was told last, empty for the first. */
export async function fetchSheet(have: string): Promise<Sealed | Unchanged> {
  const query = have === "" ? "" : `?${new URLSearchParams({ again: "1", have })}`;
  return readAnswer(await ask(`/reception/roll-call/sheet${query}`, {}));
}

/** Send marks and return the ids of those that the server keeps now. */
export async function sendMarks(marks: readonly Mark[], formToken: string): Promise<string[]> {
  const body = marks.map(({ id, buildingId, personId, mark, at }) => ({ id, buildingId, personId, mark, at }));
  const headers = { "Content-Type": "application/json", "X-CSRFToken": formToken };
  return readKept(
    await ask("/reception/roll-call/marks", { method: "POST", headers, body: JSON.stringify({ marks: body }) }),
  );
}

async function ask(path: string, init: RequestInit): Promise<unknown> {
  const answer = await fetch(path, {
    ...init,
    headers: { Accept: "application/json", ...init.headers },
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (answer.status === 401) throw new SignedOut();
  if (answer.status === 403) throw new NotWarden();
  if (!answer.ok) throw new TypeError(`status ${answer.status}`);
  return answer.json();
}
