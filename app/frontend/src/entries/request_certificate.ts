// The page "Ask for a certificate": a key is made and tried, the request is sent, and the page of the request opens.
import { certificationRequest } from "../browser_keys/csr";
import { CannotKeepKeys, type StoredKey, forgetKey, makeKey, signWith } from "../browser_keys/store";
import { base64, readConfiguration, readText } from "../certificates/messages";

const configuration = readConfiguration("certificate-request", ["challenge", "owner", "submit", "token"]);
const button = document.querySelector<HTMLButtonElement>("[data-start]");

if (button) {
  button.hidden = false;
  button.addEventListener("click", () => void send(button));
}

async function send(pressed: HTMLButtonElement): Promise<void> {
  pressed.hidden = true;
  show("working");
  try {
    const key = await makeKey(configuration.owner);
    await submit(key);
  } catch (error) {
    show(error instanceof CannotKeepKeys ? "unsupported" : "failed");
  }
}

async function submit(key: StoredKey): Promise<void> {
  const csr = await certificationRequest(key.spki, configuration.challenge, (data) => signWith(key, data));
  const answer = await fetch(configuration.submit, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": configuration.token },
    body: JSON.stringify({ csr: base64(csr), challenge: configuration.challenge }),
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

function show(name: "working" | "unsupported" | "failed"): void {
  for (const part of document.querySelectorAll<HTMLElement>("[data-show]")) {
    part.hidden = part.dataset["show"] !== name;
  }
}
