// The service worker of the roll: the page opens where no network is. It keeps the page and its files, and nobody's name;
// the sealed sheet lies elsewhere (src/roll_call/store.ts). It imports nothing: browsers load it as one file.
export {};

interface Waits extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Asked extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

interface Told extends Waits {
  readonly data: unknown;
}

interface Worker {
  addEventListener(kind: "install" | "activate", listen: (event: Waits) => void): void;
  addEventListener(kind: "fetch", listen: (event: Asked) => void): void;
  addEventListener(kind: "message", listen: (event: Told) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  readonly location: Location;
}

const CACHE = "kyvao-roll-call";
const PAGE = "/reception/roll-call";
const KEPT = /^\/(?:reception\/roll-call|static\/.*)$/;
// In a building that burns nobody waits longer for a page that may not come.
const PAGE_MS = 3_000;
const worker = self as unknown as Worker;

/** Keep what these paths answer to somebody who is not signed in: the page then names nobody. */
async function keep(paths: readonly string[]): Promise<void> {
  const cache = await caches.open(CACHE);
  for (const path of paths) {
    const answer = await fetch(path, { credentials: "omit", headers: { Accept: "text/html,*/*" } });
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
    return await fetch(request, kept === undefined ? {} : { signal: AbortSignal.timeout(PAGE_MS) });
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
  const told: unknown = event.data;
  const paths = Array.isArray(told) ? told.filter((path): path is string => typeof path === "string") : [];
  if (paths.includes(PAGE)) event.waitUntil(keep(paths.filter((path) => KEPT.test(path))));
});
