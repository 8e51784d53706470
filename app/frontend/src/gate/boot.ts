// A boot of the tablet: its name and its counted milliseconds. They live in memory alone, here and in the service
// worker, which carries them over a reload. A copied or restored profile therefore always starts another boot.

import type { Bytes } from "../passes/cbor";

const KEEP_EVERY_MS = 10_000;
const ANSWER_MS = 1_000;

export interface Boot {
  readonly id: Bytes;
  /** Whether this page began it. */
  readonly isNew: boolean;
  /** Milliseconds since it began, whatever happens to the wall clock. */
  elapsedMs(): number;
  /** Nobody carries it on: the next opening of the page begins another. */
  end(): void;
}

/** What the page asks of and hands to the service worker (entries/gate_offline.ts). */
export interface Carried {
  readonly id: Bytes;
  readonly elapsedMs: number;
}

export type BootMessage = { readonly kind: "boot" | "end" } | ({ readonly kind: "keep" } & Carried);

/** Go on with the boot that the service worker carries, or begin another. */
export async function startBoot(worker: ServiceWorker | null): Promise<Boot> {
  const carried = worker === null ? null : await ask(worker);
  const started = performance.now() - (carried?.elapsedMs ?? 0);
  const id = carried?.id ?? crypto.getRandomValues(new Uint8Array(16));
  const elapsedMs = (): number => performance.now() - started;
  const tell = (message: BootMessage): void => navigator.serviceWorker?.controller?.postMessage(message);
  const keep = (): void => tell({ kind: "keep", id, elapsedMs: elapsedMs() });
  keep();
  const again = globalThis.setInterval(keep, KEEP_EVERY_MS);
  globalThis.addEventListener?.("pagehide", keep);
  const end = (): void => {
    globalThis.clearInterval(again);
    globalThis.removeEventListener?.("pagehide", keep);
    tell({ kind: "end" });
  };
  return { id, isNew: carried === null, elapsedMs, end };
}

async function ask(worker: ServiceWorker): Promise<Carried | null> {
  const channel = new MessageChannel();
  const answer = new Promise<Carried | null>((resolve) => {
    channel.port1.onmessage = ({ data }: MessageEvent<Carried | null>) => resolve(data);
    globalThis.setTimeout(() => resolve(null), ANSWER_MS);
  });
  worker.postMessage({ kind: "boot" } satisfies BootMessage, [channel.port2]);
  return answer;
}
