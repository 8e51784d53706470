// The public page of a document's code: checks the claim on this device, compares it with the register when asked to,
// and compares a file without sending it. What is decided stands in src/claims.

import { digitsIn, FACTS, readComparison, readKeys, readPageData, type Comparison, type Fact } from "../claims/answers";
import { ClaimKeys, type ClaimSigner, type DocumentClaim } from "../claims/claim";
import { compare } from "../claims/compare";
import { PassRejected } from "../passes/faults";
import { readWords } from "../signing/answers";
import { fill } from "../signing/placement";

const LAST_VERSION = "kyvao-claim-keys";
const DAY_MS = 86_400_000;
const DAY = { day: "2-digit", month: "2-digit", year: "numeric" } as const;
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
const CITY = { timeZone: "Asia/Ho_Chi_Minh" } as const;

type Tone = "good" | "bad" | "unsure";

function part<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page lacks ${id}`);
  return found;
}

const json = (id: string): unknown => JSON.parse(part(id, HTMLScriptElement).textContent ?? "");
const data = readPageData(json("code-data"));
const words = readWords(json("code-words"));
const fileField = part("code-file-field", HTMLInputElement);
let scanned = "";
let read: DocumentClaim | undefined;
let comparison: Comparison | undefined;

function say(place: string, tone: Tone, title: string, sentence: string): void {
  const made = part(`code-${tone}`, HTMLTemplateElement).content.cloneNode(true);
  if (!(made instanceof DocumentFragment)) return;
  const put = (selector: string, text: string): void => {
    const target = made.querySelector(selector);
    if (target !== null) target.textContent = text;
  };
  put(".kv-verdict__title", title);
  put(".kv-verdict__sentence", sentence);
  part(place, HTMLElement).replaceChildren(made);
}

function list(id: string, facts: ReadonlyMap<Fact, string>): void {
  const rows = FACTS.flatMap((name) => {
    const value = facts.get(name);
    if (value === undefined) return [];
    const row = document.createElement("div");
    row.className = "govuk-summary-list__row";
    const key = document.createElement("dt");
    key.className = "govuk-summary-list__key";
    key.textContent = words(`facts.${name}`);
    const told = document.createElement("dd");
    told.className = "govuk-summary-list__value";
    told.textContent = value;
    row.append(key, told);
    return [row];
  });
  part(id, HTMLElement).replaceChildren(...rows);
}

/** The newest list of keys; without a network the one that this browser kept. Never an older one than the last. */
async function keys(): Promise<ClaimKeys> {
  const answer = await fetch(data.keysUrl, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error("no list of keys");
  const { list: message, key } = readKeys(await answer.json());
  const found = await ClaimKeys.verify(message, key, Number(localStorage.getItem(LAST_VERSION)) || 0);
  localStorage.setItem(LAST_VERSION, String(found.edition.version));
  return found;
}

async function check(digits: string): Promise<void> {
  show([]);
  scanned = digits;
  read = comparison = undefined;
  say("code-answer", "unsure", words("checking"), "");
  let known: ClaimKeys;
  try {
    known = await keys();
  } catch {
    refuse("noKeys", "unsure");
    return;
  }
  try {
    const { claim, signer } = await known.read(digits);
    read = claim;
    accept(claim, signer, known.edition.issued);
  } catch (error) {
    const fault = error instanceof PassRejected ? error.fault : "malformed";
    refuse(fault, fault === "bad_signature" || fault === "not_ours" ? "bad" : "unsure");
    // The register may still know a code whose key this device does not trust.
    if (fault === "key_not_current" || fault === "unknown_key") show(["code-ask", "code-another"]);
  }
}

function accept(claim: DocumentClaim, signer: ClaimSigner, listed: Date): void {
  const day = formatted(new Date(claim.day * DAY_MS), { ...DAY, timeZone: "UTC" });
  const told = { agency: signer.agencyName, number: claim.number, day };
  say("code-answer", "good", words("genuine.title"), fill(words("genuine.sentence"), told));
  list("code-facts", new Map<Fact, string>([["number", claim.number], ["day", day], ["agency", signer.agencyName]]));
  // Day before hour, as everywhere in the house.
  const moment = `${formatted(listed, { ...DAY, ...CITY })} ${formatted(listed, { ...CLOCK, ...CITY })}`;
  part("code-keys", HTMLElement).textContent = fill(words("keysOf"), { moment });
  show(["code-claim", "code-ask", "code-file", "code-another"]);
}

function refuse(fault: string, tone: Tone): void {
  say("code-answer", tone, words(`${fault}.title`), words(`${fault}.sentence`));
  show(["code-entry"]);
}

async function compareOnline(digits: string): Promise<void> {
  const answer = await fetch(data.compareUrl, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify({ code: digits }),
  }).catch(() => undefined);
  part("code-original", HTMLElement).hidden = false;
  if (answer === undefined || !answer.ok) {
    say("code-original-answer", "unsure", words("offline.title"), words("offline.sentence"));
    return;
  }
  comparison = readComparison(await answer.json());
  const { standing, facts, fileUrl } = comparison;
  const tone = standing === "unknown" || standing === "withdrawn" ? "bad" : standing === "replaced" ? "unsure" : "good";
  say("code-original-answer", tone, words(`standing.${standing}`), words(`standingSentence.${standing}`));
  list("code-original-facts", facts);
  const download = part("code-download", HTMLElement);
  download.hidden = fileUrl === null;
  if (fileUrl !== null) download.querySelector("a")?.setAttribute("href", fileUrl);
  part("code-original-heading", HTMLElement).focus();
}

async function compareFile(file: File): Promise<void> {
  if (read === undefined) return;
  try {
    const match = await compare(file, read, comparison?.issuedSha256 ?? null);
    const tone = match === "issued" ? "good" : match === "signed_part" ? "unsure" : "bad";
    say("code-file-answer", tone, words(`file.${match}`), words(`fileSentence.${match}`));
  } catch {
    say("code-file-answer", "unsure", words("file.unreadable"), words("fileSentence.unreadable"));
  }
}

const SECTIONS = ["code-claim", "code-ask", "code-original", "code-file", "code-entry", "code-another"] as const;

function show(wanted: readonly (typeof SECTIONS)[number][]): void {
  for (const id of SECTIONS) part(id, HTMLElement).hidden = !wanted.includes(id);
  part("code-file-answer", HTMLElement).replaceChildren();
  fileField.value = "";
}

function formatted(date: Date, how: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(document.documentElement.lang === "en" ? "en-GB" : "vi-VN", how).format(date);
}

function begin(): void {
  const digits = digitsIn(location.hash);
  if (digits !== "") void check(digits);
  else {
    part("code-answer", HTMLElement).replaceChildren();
    show(["code-entry"]);
  }
}

part("code-entry", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const digits = digitsIn(part("code-digits", HTMLInputElement).value);
  if (digits !== "") void check(digits);
});
part("code-compare", HTMLButtonElement).addEventListener("click", () => {
  void compareOnline(scanned);
});
part("code-begin", HTMLButtonElement).addEventListener("click", () => {
  part("code-digits", HTMLInputElement).value = "";
  history.replaceState(null, "", data.pageUrl);
  begin();
  part("code-digits", HTMLInputElement).focus();
});
fileField.addEventListener("change", () => {
  const file = fileField.files?.[0];
  if (file !== undefined) void compareFile(file);
});
const drop = part("code-file", HTMLElement);
for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("kv-drop--over");
  });
}
drop.addEventListener("dragleave", () => drop.classList.remove("kv-drop--over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("kv-drop--over");
  const file = event.dataTransfer?.files[0];
  if (file !== undefined) void compareFile(file);
});
addEventListener("hashchange", begin);
begin();

/** Keep the page, its keys and its files, so that the next code opens without a network. */
async function keepForLater(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register(data.offlineUrl, { scope: data.pageUrl });
  const ready = await navigator.serviceWorker.ready;
  const files = performance.getEntriesByType("resource").map((entry) => new URL(entry.name).pathname);
  ready.active?.postMessage([data.pageUrl, data.keysUrl, ...files.filter((path) => path.startsWith("/static/"))]);
}
// A browser that cannot keep pages checks codes with a network all the same.
keepForLater().catch(() => undefined);
