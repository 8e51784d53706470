// The page "Renew your certificate": a new key is made, the old key signs the new request, and both are sent.
import { certificationRequest } from "../browser_keys/csr";
import { renewalContent } from "../browser_keys/renewal";
import { CannotKeepKeys, type StoredKey, findKey, forgetKey, makeKey, signWith } from "../browser_keys/store";
import { base64, readConfiguration, readText } from "../certificates/messages";

const configuration = readConfiguration("certificate-request", ["challenge", "owner", "submit", "token", "old"]);
const button = document.querySelector<HTMLButtonElement>("[data-start]");

if (button) void begin(button);

async function begin(pressed: HTMLButtonElement): Promise<void> {
  const old = await findKey(configuration.old).catch(() => undefined);
  if (!old) {
    show("missing");
    return;
  }
  show("ready");
  pressed.addEventListener("click", () => void send(old), { once: true });
}

async function send(old: StoredKey): Promise<void> {
  show("working");
  try {
    await submit(await makeKey(configuration.owner), old);
  } catch (error) {
    show(error instanceof CannotKeepKeys ? "unsupported" : "failed");
  }
}

async function submit(key: StoredKey, old: StoredKey): Promise<void> {
  const csr = await certificationRequest(key.spki, configuration.challenge, (data) => signWith(key, data));
  const proof = await signWith(old, renewalContent(csr));
  const answer = await fetch(configuration.submit, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": configuration.token },
    body: JSON.stringify({ csr: base64(csr), challenge: configuration.challenge, proof: base64(proof) }),
  });
  const body: unknown = await answer.json();
  if (answer.ok) {
    location.assign(readText(body, "href"));
    return;
  }
  // Nobody will ever certify this key.
  await forgetKey(key.id);
  const reason = document.querySelector("[data-reason]");
  if (reason) reason.textContent = [readText(body, "title"), readText(body, "detail", "")].join(" ");
  show("failed");
}

function show(name: "ready" | "working" | "missing" | "unsupported" | "failed"): void {
  for (const part of document.querySelectorAll<HTMLElement>("[data-show]")) {
    part.hidden = part.dataset["show"] !== name;
  }
}
