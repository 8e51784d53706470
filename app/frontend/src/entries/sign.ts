// The page on which a person signs: shows the file, takes the place of the mark, checks what was prepared, lets the
// key of this browser sign it. What is decided stands in src/signing; here is only what touches the page.

import { findKey, signWith, type StoredKey } from "../browser_keys/store";
import type { Bytes } from "../browser_keys/der";
import { agree, Disagreement, keyIdOf, shortDigest } from "../signing/agreement";
import {
  readCompleted,
  readPageData,
  readPrepared,
  readProblem,
  readProposal,
  readWords,
  toBase64,
  type Completed,
  type PageCertificate,
  type Prepared,
} from "../signing/answers";
import { boxOf, centredOn, fill, fits, isCorner, measuredFrom, type Place, type Size } from "../signing/placement";
import { drawRuler, listRuler } from "../signing/ruler";
import { Viewer } from "../signing/viewer";

/** The server refused, in its own words. */
class Refused extends Error {
  constructor(
    readonly title: string,
    readonly next: string,
  ) {
    super(title);
  }
}

interface OwnKey {
  readonly stored: StoredKey;
  readonly certificate: PageCertificate;
}

function part<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page lacks ${id}`);
  return found;
}

const json = (id: string): unknown => JSON.parse(part(id, HTMLScriptElement).textContent ?? "");
const data = readPageData(json("sign-data"));
const words = readWords(json("sign-words"));
const viewer = new Viewer(part("sign-canvas", HTMLCanvasElement));
const fields = {
  page: part("sign-page", HTMLInputElement),
  corner: part("sign-corner", HTMLSelectElement),
  x: part("sign-x", HTMLInputElement),
  y: part("sign-y", HTMLInputElement),
  reason: part("sign-reason", HTMLInputElement),
};
const sheet = part("sign-sheet", HTMLElement);
const mark = part("sign-mark", HTMLElement);

let pageSize: Size = { widthMm: 210, heightMm: 297 };
let shownPage = 0;
let corner = readPlace().corner;
let prepared: Prepared | undefined;
// Whoever has begun to choose a place is not led away from it.
let isChosen = false;

function readPlace(): Place {
  const chosen = fields.corner.value;
  return {
    corner: isCorner(chosen) ? chosen : "bottom_right",
    xMm: fields.x.valueAsNumber || 0,
    yMm: fields.y.valueAsNumber || 0,
  };
}

function writePlace(place: Place): void {
  fields.corner.value = place.corner;
  fields.x.value = String(place.xMm);
  fields.y.value = String(place.yMm);
  showMark();
}

function showMark(): void {
  const place = readPlace();
  const box = boxOf(place, data.mark, pageSize);
  const inside = fits(box, pageSize);
  const percent = (length: number, whole: number): string => `${((length / whole) * 100).toFixed(3)}%`;
  mark.hidden = data.isFixed || prepared !== undefined || shownPage !== fields.page.valueAsNumber;
  mark.style.left = percent(box.leftMm, pageSize.widthMm);
  mark.style.top = percent(box.topMm, pageSize.heightMm);
  mark.style.width = percent(box.widthMm, pageSize.widthMm);
  mark.style.height = percent(box.heightMm, pageSize.heightMm);
  mark.classList.toggle("kv-sign__mark--outside", !inside);
  const sentence = fill(words(`where.${place.corner}`), { page: fields.page.value, x: place.xMm, y: place.yMm });
  part("sign-where", HTMLElement).textContent = inside ? sentence : words("outside");
}

async function showPage(wanted: number): Promise<void> {
  // The fields may be used while the file is still on its way; it opens at the page that they then name.
  if (!viewer.isOpen) return;
  const page = Math.min(Math.max(1, Math.round(wanted) || 1), data.pages);
  const shown = await viewer.show(page, sheet.clientWidth || 600);
  shownPage = page;
  pageSize = shown.size;
  part("sign-page-of", HTMLElement).textContent = fill(words("pageOf"), { page, pages: data.pages });
  for (const [id, last] of [["sign-previous", 1], ["sign-next", data.pages]] as const) {
    part(id, HTMLButtonElement).disabled = page === last;
    part(id, HTMLButtonElement).hidden = data.pages === 1;
  }
  part("sign-text", HTMLElement).textContent = shown.text.trim() || words("noText");
  showMark();
  showRuler();
}

/** Over the page that is prepared, and nowhere else. */
function showRuler(): void {
  sheet.querySelector(".kv-sign__ruler")?.remove();
  const ruler = prepared?.ruler ?? [];
  if (ruler.length > 0 && shownPage === prepared?.page) sheet.append(drawRuler(ruler, pageSize));
  part("sign-ruler", HTMLElement).hidden = ruler.length === 0;
  part("sign-ruler-lengths", HTMLElement).replaceChildren(...listRuler(ruler));
}

function busy(sentence: string | null): void {
  part("sign-busy", HTMLElement).hidden = sentence === null;
  part("sign-progress-label", HTMLElement).textContent = sentence ?? "";
  for (const id of ["sign-continue", "sign-now", "sign-back"]) part(id, HTMLButtonElement).disabled = sentence !== null;
}

function problem(title: string, next: string): void {
  part("sign-problem-title", HTMLElement).textContent = title;
  part("sign-problem-next", HTMLElement).textContent = next;
  const box = part("sign-problem", HTMLElement);
  box.hidden = false;
  box.scrollIntoView({ block: "center" });
}

/** Run an act with the page saying so, and say what went wrong in the words of the one who knows. */
async function act(sentence: string, otherwise: string, work: () => Promise<void>): Promise<void> {
  part("sign-problem", HTMLElement).hidden = true;
  busy(sentence);
  try {
    await work();
  } catch (error) {
    if (error instanceof Refused) problem(error.title, error.next);
    else if (error instanceof Disagreement) problem(words("tampered"), words("tamperedNext"));
    else if (error instanceof TypeError) problem(words("offline"), words("offlineNext"));
    else problem(words(otherwise), words(`${otherwise}Next`));
  } finally {
    busy(null);
  }
}

async function post(path: string, body: object): Promise<unknown> {
  const token = document.querySelector<HTMLInputElement>("#sign-place input[name=csrf_token]")?.value ?? "";
  return answer(
    await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
      body: JSON.stringify(body),
    }),
  );
}

async function answer(response: Response): Promise<unknown> {
  const value: unknown = await response.json();
  if (response.ok) return value;
  const refused = readProblem(value);
  throw new Refused(refused.title, refused.detail);
}

async function fetchFile(path: string): Promise<Bytes> {
  const response = await fetch(path, { headers: { Accept: "application/pdf, application/json" } });
  if (!response.ok) await answer(response);
  return new Uint8Array(await response.arrayBuffer());
}

/** The newest certificate whose key this browser holds. */
async function ownKey(): Promise<OwnKey | undefined> {
  for (const certificate of data.certificates) {
    const stored = await findKey(await keyIdOf(certificate)).catch(() => undefined);
    if (stored !== undefined) return { stored, certificate };
  }
  return undefined;
}

async function prepare(own: OwnKey): Promise<void> {
  const place = readPlace();
  const announced = readPrepared(
    await post(data.prepareUrl, {
      certificateSha256: own.certificate.sha256,
      baseNumber: data.baseNumber,
      page: fields.page.valueAsNumber,
      ...place,
      reason: fields.reason.value.trim() || null,
    }),
  );
  const pdf = await fetchFile(announced.preparedUrl);
  const digest = await agree(pdf, announced, own.certificate);
  // The same bytes that were checked are shown, and only what was shown can be signed.
  await viewer.open(pdf);
  prepared = announced;
  await showPage(announced.page ?? fields.page.valueAsNumber);
  part("sign-digest", HTMLElement).textContent = shortDigest(digest);
  part("sign-certificate", HTMLElement).textContent = own.certificate.validUntil;
  const markOn = part("sign-mark-on", HTMLElement);
  markOn.hidden = data.pages < 2 || announced.page === undefined;
  markOn.textContent = fill(words("markOn"), { page: announced.page ?? 1 });
  step("sign-confirm");
}

async function sign(own: OwnKey): Promise<void> {
  if (prepared === undefined) return;
  const signature = await signWith(own.stored, prepared.signedAttributes);
  finished(readCompleted(await post(prepared.completeUrl, { signature: toBase64(signature) })));
}

function finished(completed: Completed): void {
  if (data.queue !== undefined) {
    location.assign(data.queue.nextUrl);
    return;
  }
  const when = fill(words("doneWhen"), { moment: completed.signedAt, number: completed.number });
  part("sign-done-when", HTMLElement).textContent = when;
  part("sign-done-certified", HTMLElement).hidden = completed.timestampPending;
  part("sign-done-pending", HTMLElement).hidden = !completed.timestampPending;
  part("sign-done-download", HTMLAnchorElement).href = completed.downloadUrl;
  part("sign-done-document", HTMLAnchorElement).href = completed.documentUrl;
  step("sign-done");
}

function step(id: "sign-place" | "sign-confirm" | "sign-done"): void {
  for (const one of ["sign-place", "sign-confirm", "sign-done"]) part(one, HTMLElement).hidden = one !== id;
  document.getElementById(`${id}-heading`)?.focus();
}

function listen(own: OwnKey): void {
  for (const kind of ["input", "change"]) part("sign-choose", HTMLElement).addEventListener(kind, () => (isChosen = true));
  part("sign-previous", HTMLButtonElement).addEventListener("click", () => void showPage(shownPage - 1));
  part("sign-next", HTMLButtonElement).addEventListener("click", () => void showPage(shownPage + 1));
  fields.page.addEventListener("change", () => void showPage(fields.page.valueAsNumber));
  for (const field of [fields.x, fields.y]) field.addEventListener("input", showMark);
  fields.corner.addEventListener("change", () => {
    const now = readPlace();
    const place = measuredFrom(now.corner, { ...now, corner }, data.mark, pageSize);
    corner = place.corner;
    writePlace(place);
  });
  sheet.addEventListener("click", (event) => {
    if (data.isFixed || prepared !== undefined) return;
    const box = sheet.getBoundingClientRect();
    const left = ((event.clientX - box.left) / box.width) * pageSize.widthMm;
    const top = ((event.clientY - box.top) / box.height) * pageSize.heightMm;
    isChosen = true;
    fields.page.value = String(shownPage);
    writePlace(centredOn(left, top, readPlace().corner, data.mark, pageSize));
  });
  part("sign-place", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    void act(words("preparing"), "notShown", () => prepare(own));
  });
  part("sign-now", HTMLButtonElement).addEventListener("click", () => {
    void act(words("signing"), "keyFailed", () => sign(own));
  });
  part("sign-back", HTMLButtonElement).addEventListener("click", () => {
    prepared = undefined;
    step("sign-place");
    void act(words("loading"), "notShown", openBase);
  });
}

async function openBase(): Promise<void> {
  await viewer.open(await fetchFile(data.documentUrl));
  await showPage(shownPage || fields.page.valueAsNumber || data.pages);
}

/** Take the place that is proposed, if there is one and the reader has not chosen another; say whether it was taken. */
async function propose(): Promise<boolean> {
  const proposal = await fetch(data.placeUrl, { headers: { Accept: "application/json" } })
    .then(async (response) => (response.ok ? readProposal(await response.json()) : undefined))
    .catch(() => undefined);
  if (proposal === undefined || isChosen) return false;
  fields.page.value = String(proposal.page);
  corner = proposal.corner;
  writePlace(proposal);
  part("sign-proposed", HTMLElement).hidden = false;
  await showPage(proposal.page);
  return true;
}

async function start(): Promise<void> {
  const own = await ownKey();
  if (own === undefined) {
    part("sign-no-key", HTMLElement).hidden = false;
    return;
  }
  part("sign-desk", HTMLElement).hidden = false;
  part("sign-fixed", HTMLElement).hidden = !data.isFixed;
  part("sign-choose", HTMLElement).hidden = data.isFixed;
  listen(own);
  await act(words("loading"), "notShown", openBase);
  const hasPlace = data.isFixed || (await propose());
  // In a queue the paper is shown as it would be signed: one look, one press.
  if (data.queue === undefined || !hasPlace) return;
  await act(words("preparing"), "notShown", () => prepare(own));
  // Reading begins at the beginning, not where the mark stands.
  await showPage(1);
  part("sign-heading", HTMLElement).focus();
}

void start();
