// A guest's page: keeps the screen awake while the code is shown, and itself for where no network is. Everything else works
// without script.

import { ChangingCode } from "../guest_page/changing_code";

const code = document.querySelector<HTMLElement>(".kv-pass__code");
const page = location.pathname;
const changing = changingCode();

async function stayAwake(): Promise<void> {
  if (code === null || document.visibilityState !== "visible") return;
  await navigator.wakeLock?.request("screen").catch(() => undefined);
}

/** What the page needs to be shown again: itself, its files, and what it links to below itself. */
function needed(): string[] {
  const named = [...document.querySelectorAll("link[href], script[src], img[src], a[data-keep]")].map((one) =>
    one instanceof HTMLLinkElement || one instanceof HTMLAnchorElement ? one.href : one.getAttribute("src") ?? "",
  );
  const loaded = performance.getEntriesByType("resource").map((one) => one.name);
  const paths = [...named, ...loaded].map((address) => new URL(address, location.href)).filter((one) => one.origin === location.origin);
  const below = paths.map((one) => one.pathname).filter((path) => path.startsWith("/static/") || path.startsWith(`${page}/`));
  return [...new Set([page, ...below])];
}

async function keepForLater(): Promise<void> {
  const script = document.body.querySelector<HTMLElement>("[data-offline]")?.dataset["offline"];
  if (script === undefined || !("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register(script, { scope: page });
  const ready = await navigator.serviceWorker.ready;
  // An invitation that has ended is not kept.
  ready.active?.postMessage(code === null ? [] : needed());
}

/** Say so when the page was not told anew: whoever looks at it must know that it may have changed. */
async function sayWhenKept(): Promise<void> {
  const notice = document.querySelector<HTMLElement>("[data-kept]");
  if (notice === null) return;
  // The service worker answers GET alone: this asks the server itself.
  notice.hidden = await fetch(page, { method: "HEAD", cache: "no-store" }).then(
    (answer) => {
      void changing?.heard(answer.headers.get("Date"));
      return true;
    },
    () => false,
  );
}

/** The code that is drawn anew every half minute; null where the meeting's codes do not change. */
function changingCode(): ChangingCode | null {
  const { digits, key } = code?.dataset ?? {};
  const svg = code?.querySelector("svg");
  const [ground, dark] = svg?.querySelectorAll("path") ?? [];
  if (!digits || !key || !svg || !ground || !dark) return null;
  const octets = Uint8Array.from(atob(key), (one) => one.charCodeAt(0));
  return new ChangingCode(digits, octets, (path, size) => {
    svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
    ground.setAttribute("d", `M0 0h${size}v${size}H0z`);
    dark.setAttribute("d", path);
  });
}

async function change(shown: ChangingCode): Promise<void> {
  await shown.redraw();
  window.setTimeout(() => void change(shown), shown.left());
}

document.addEventListener("visibilitychange", () => {
  void stayAwake();
  // A phone that slept may have let its clocks stand.
  void changing?.redraw();
});
window.addEventListener("online", () => void sayWhenKept());
window.addEventListener("offline", () => void sayWhenKept());
void stayAwake();
void sayWhenKept();
if (changing !== null) void change(changing);
void keepForLater().catch(() => undefined);
