// The service worker of the tablet: the scanning page opens without a network, and a reload goes on with the same boot.
// It imports types only: browsers load it as one file under an address of its own (app/gate/views.py).

import type { BootMessage, Carried } from "../gate/boot";

interface Waits extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Asked extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

interface Told extends Waits {
  readonly data: unknown;
  readonly ports: readonly MessagePort[];
}

interface Worker {
  addEventListener(kind: "install" | "activate", listen: (event: Waits) => void): void;
  addEventListener(kind: "fetch", listen: (event: Asked) => void): void;
  addEventListener(kind: "message", listen: (event: Told) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  readonly location: Location;
}

const CACHE = "kyvao-gate-pages";
const PAGE = "/gate/";
const KEPT = /^\/(?:gate\/|static\/.*)$/;
// A page that does not come by then is opened from what was kept.
const PAGE_MS = 3_000;
const worker = self as unknown as Worker;

// In memory alone: whoever copies or restores the disk of a tablet does not get its boot.
let held: (Carried & { readonly at: number }) | null = null;

async function keep(paths: readonly string[]): Promise<void> {
  const cache = await caches.open(CACHE);
  for (const path of paths) {
    const answer = await fetch(path, { headers: { Accept: "text/html,*/*" } });
    if (answer.ok && !answer.redirected) await cache.put(path, answer);
  }
  const wanted = new Set(paths);
  for (const request of await cache.keys()) {
    if (!wanted.has(new URL(request.url).pathname)) await cache.delete(request);
  }
}

async function answer(request: Request, path: string): Promise<Response> {
  const kept = await caches.match(path, { ignoreVary: true });
  // Files carry their digest in their name: what was kept is right. The page itself may have changed.
  if (kept !== undefined && path !== PAGE) return kept;
  try {
    return await fetch(request, path === PAGE && kept !== undefined ? { signal: AbortSignal.timeout(PAGE_MS) } : {});
  } catch (error) {
    if (kept === undefined) throw error;
    return kept;
  }
}

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  const ours = origin === worker.location.origin && KEPT.test(pathname);
  if (event.request.method === "GET" && ours) event.respondWith(answer(event.request, pathname));
});
worker.addEventListener("message", (event) => {
  const told = event.data as BootMessage | { readonly kind: "paths"; readonly paths: readonly string[] };
  switch (told.kind) {
    case "boot": {
      const carried = held && { id: held.id, elapsedMs: held.elapsedMs + performance.now() - held.at };
      event.ports[0]?.postMessage(carried satisfies Carried | null);
      break;
    }
    case "keep":
      held = { id: told.id, elapsedMs: told.elapsedMs, at: performance.now() };
      break;
    case "end":
      held = null;
      break;
    case "paths":
      event.waitUntil(keep(told.paths.filter((path) => KEPT.test(path))));
  }
});
