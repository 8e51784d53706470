// A guest's page: keeps the screen awake while the code is shown, and itself for where no network is. Everything else works
// without script.

const code = document.querySelector(".kv-pass__code");
const page = location.pathname;

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
    () => true,
    () => false,
  );
}

document.addEventListener("visibilitychange", () => void stayAwake());
window.addEventListener("online", () => void sayWhenKept());
window.addEventListener("offline", () => void sayWhenKept());
void stayAwake();
void sayWhenKept();
void keepForLater().catch(() => undefined);
