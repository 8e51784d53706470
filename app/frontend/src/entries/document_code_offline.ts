// The service worker of a document's code: the network first, and what was kept where there is none. It imports nothing:
// browsers load it under an address of its own (app/claims/views.py).

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
  addEventListener(kind: "activate", listen: (event: Waits) => void): void;
  addEventListener(kind: "fetch", listen: (event: Asked) => void): void;
  addEventListener(kind: "message", listen: (event: Told) => void): void;
  readonly clients: { claim(): Promise<void> };
  readonly location: Location;
}

const CACHE = "kyvao-document-code";
const PAGE = "/D";
const KEPT = /^\/(?:D|D\/keys|static\/.*)$/;
const worker = self as unknown as Worker;

/** Keep what these paths answer to somebody who is not signed in: a name in the header belongs to no other reader. */
async function keep(paths: readonly string[]): Promise<void> {
  const cache = await caches.open(CACHE);
  for (const path of paths) {
    const answer = await fetch(path, { credentials: "omit" });
    if (answer.ok) await cache.put(path, answer);
  }
  const wanted = new Set(paths);
  for (const request of await cache.keys()) {
    if (!wanted.has(new URL(request.url).pathname)) await cache.delete(request);
  }
}

async function answer(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    // Paths only: the page in another language than the kept one is still the page.
    const kept = await caches.match(new URL(request.url).pathname, { ignoreVary: true });
    if (kept === undefined) throw error;
    return kept;
  }
}

worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  const ours = origin === worker.location.origin && KEPT.test(pathname);
  if (event.request.method === "GET" && ours) event.respondWith(answer(event.request));
});
worker.addEventListener("message", (event) => {
  const told: unknown = event.data;
  const paths = Array.isArray(told) ? told.filter((path): path is string => typeof path === "string") : [];
  if (paths.includes(PAGE)) event.waitUntil(keep(paths.filter((path) => KEPT.test(path))));
});
