import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { startBoot } from "./boot";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] });
  vi.stubGlobal("navigator", {});
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function worker(carried: unknown): ServiceWorker {
  const postMessage = (_: unknown, [port]: MessagePort[]): void => port?.postMessage(carried);
  return { postMessage } as unknown as ServiceWorker;
}

it("begins another boot each time nobody carries one, so a copied profile never goes on", async () => {
  const [one, other] = [await startBoot(null), await startBoot(worker(null))];
  expect([one.isNew, other.isNew]).toEqual([true, true]);
  expect(one.id).toHaveLength(16);
  expect(one.id).not.toEqual(other.id);
});

it("goes on with the boot and the milliseconds that the service worker carries", async () => {
  const id = new Uint8Array(16).fill(5);
  const boot = await startBoot(worker({ id, elapsedMs: 60_000 }));
  vi.advanceTimersByTime(1_500);
  expect([boot.isNew, boot.id]).toEqual([false, id]);
  expect(boot.elapsedMs()).toBeCloseTo(61_500, 0);
});

it("does not wait for ever for a service worker that says nothing", async () => {
  const starting = startBoot({ postMessage: () => undefined } as unknown as ServiceWorker);
  await vi.advanceTimersByTimeAsync(1_000);
  expect((await starting).isNew).toBe(true);
});
