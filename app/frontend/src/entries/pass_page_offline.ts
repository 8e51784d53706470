// The service worker of one guest's page: the page, its code and its letter open where no network is. Its scope is that one
// page. It imports nothing: browsers load it under an address of its own (app/meetings/guest_page.py).
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
  readonly registration: { readonly scope: string };
  readonly location: Location;
}

// In a queue at a gate nobody waits longer for a page that may not come.
const PAGE_MS = 4_000;
const worker = self as unknown as Worker;
const page = new URL(worker.registration.scope).pathname;
const cacheName = `kyvao-invitation:${page}`;

const isOurs = (path: string): boolean => path === page || path.startsWith(`${page}/`) || path.startsWith("/static/");

/** Keep these paths and nothing else; none at all once the invitation has ended. */
async function keep(paths: readonly string[]): Promise<void> {
  if (paths.length === 0) {
    await caches.delete(cacheName);
    return;
  }
  const cache = await caches.open(cacheName);
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
  const cache = await caches.open(cacheName);
  const kept = await cache.match(path, { ignoreVary: true });
  // Files carry their digest in their name: what was kept is right. The page itself may have changed.
  if (kept !== undefined && path.startsWith("/static/")) return kept;
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
  const ours = origin === worker.location.origin && isOurs(pathname);
  if (event.request.method === "GET" && ours) event.respondWith(answer(event.request, pathname));
});
worker.addEventListener("message", (event) => {
  const told: unknown = event.data;
  if (!Array.isArray(told)) return;
  event.waitUntil(keep(told.filter((path): path is string => typeof path === "string" && isOurs(path))));
});
