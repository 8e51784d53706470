// The page of a filled form: shows the paper, and lets the key of this browser sign exactly that paper.

import type { Bytes } from "../browser_keys/der";
import { findKey, signWith, type StoredKey } from "../browser_keys/store";
import { continues, readFormPage } from "../citizen_forms/page_data";
import { agree, Disagreement, keyIdOf } from "../signing/agreement";
import { readPrepared, readProblem, readWords, toBase64, type PageCertificate } from "../signing/answers";
import { fill } from "../signing/placement";
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
const data = readFormPage(json("form-data"));
const words = readWords(json("form-words"));
const viewer = new Viewer(part("form-canvas", HTMLCanvasElement));
let shownPage = 1;
let base: Bytes | undefined;

async function showPage(page: number): Promise<void> {
  shownPage = Math.min(Math.max(1, page), data.pages);
  await viewer.show(shownPage, part("form-sheet", HTMLElement).clientWidth || 600);
  part("form-page-of", HTMLElement).textContent = fill(words("pageOf"), { page: shownPage, pages: data.pages });
  part("form-previous", HTMLButtonElement).disabled = shownPage === 1;
  part("form-next", HTMLButtonElement).disabled = shownPage === data.pages;
}

function busy(sentence: string | null): void {
  part("form-busy", HTMLElement).hidden = sentence === null;
  part("form-progress-label", HTMLElement).textContent = sentence ?? "";
  part("form-sign-now", HTMLButtonElement).disabled = sentence !== null;
}

function problem(title: string, next: string): void {
  part("form-problem-title", HTMLElement).textContent = title;
  part("form-problem-next", HTMLElement).textContent = next;
  const box = part("form-problem", HTMLElement);
  box.hidden = false;
  box.scrollIntoView({ block: "center" });
}

async function answer(response: Response): Promise<unknown> {
  const value: unknown = await response.json();
  if (response.ok) return value;
  const refused = readProblem(value);
  throw new Refused(refused.title, refused.detail);
}

async function post(path: string, body: object): Promise<unknown> {
  const token = document.querySelector<HTMLInputElement>("#form-sign input[name=csrf_token]")?.value ?? "";
  const headers = { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token };
  return answer(await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
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

async function sign(own: OwnKey): Promise<void> {
  busy(words("preparing"));
  const wish = { certificateSha256: own.certificate.sha256, baseNumber: data.baseNumber, ...data.place, reason: null };
  const prepared = readPrepared(await post(data.prepareUrl, wish));
  const pdf = await fetchFile(prepared.preparedUrl);
  await agree(pdf, prepared, own.certificate);
  if (base === undefined || !continues(pdf, base)) throw new Disagreement("another paper than the one shown");
  busy(words("signing"));
  const signature = await signWith(own.stored, prepared.signedAttributes);
  await post(prepared.completeUrl, { signature: toBase64(signature) });
  location.reload();
}

async function act(work: () => Promise<void>, otherwise: string): Promise<void> {
  part("form-problem", HTMLElement).hidden = true;
  try {
    await work();
  } catch (error) {
    if (error instanceof Refused) problem(error.title, error.next);
    else if (error instanceof Disagreement) problem(words("tampered"), words("tamperedNext"));
    else if (error instanceof TypeError) problem(words("offline"), words("offlineNext"));
    else problem(words(otherwise), words(`${otherwise}Next`));
  }
}

async function open(): Promise<void> {
  base = await fetchFile(data.documentUrl);
  await viewer.open(base);
  await showPage(1);
  part("form-pager", HTMLElement).hidden = data.pages === 1;
}

async function start(): Promise<void> {
  part("form-previous", HTMLButtonElement).addEventListener("click", () => void showPage(shownPage - 1));
  part("form-next", HTMLButtonElement).addEventListener("click", () => void showPage(shownPage + 1));
  await act(open, "notShown");
  if (data.certificates.length === 0 || base === undefined) return;
  const own = await ownKey();
  if (own === undefined) {
    part("form-no-key", HTMLElement).hidden = false;
    return;
  }
  const form = part("form-sign", HTMLFormElement);
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void act(() => sign(own), "keyFailed").finally(() => busy(null));
  });
}

void start();
