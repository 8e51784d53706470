// The scanning page of a tablet: a code comes into view, the tablet decides, the server admits once where it answers.

import { startBoot } from "../gate/boot";
import { Camera } from "../gate/camera";
import { CameraButtons } from "../gate/camera_buttons";
import { watch } from "../gate/detector";
import { ownKey } from "../gate/device_key";
import { Gate } from "../gate/gate";
import { Guests } from "../gate/guests";
import { Judge, KeyChanged } from "../gate/judge";
import { Log } from "../gate/log";
import { clockTime, Screen } from "../gate/screen";
import { bytes, fetchLists, NoAnswer, NotEnrolled, sendEvents } from "../gate/server";
import { Shift } from "../gate/shift";
import { announce } from "../gate/sound";
import { Store, wipe } from "../gate/store";
import { WedgeReader } from "../gate/wedge";
import { fill, readWords } from "../gate/words";
import { FACE } from "../passes/scan_event";

const LISTS_EVERY_MS = 5_000;
const ROSTER_EVERY_MS = 60_000;
// The server gives the place of a pass away no earlier (app/meetings/passes.py), and a pass holds for three days at most.
const SPENT_KEPT_MS = 7 * 86_400_000;
const BACK_TO_CAMERA_MS = 12_000;

interface Device {
  readonly id: string;
  readonly checkpointId: string;
  readonly checkpoint: string;
  readonly trustKey: string;
  /** SHA-256 of the key that the server knows of this tablet; empty without one. */
  readonly keyName: string;
  readonly pageUrl: string;
  readonly offlineUrl: string;
}

async function run(): Promise<void> {
  const words = readWords();
  const video = document.querySelector<HTMLVideoElement>("[data-video]");
  const described = document.getElementById("gate-device")?.textContent;
  if (video === null || !described) return;
  const device = JSON.parse(described) as Device;

  let scanId = "";
  let busy = false;
  // The server found that this tablet's log goes on in two places.
  let isVoid = false;
  let back = 0;
  const screen = new Screen(words, {
    onFace: (look) => {
      void log.alone(() => log.face(scanId, FACE[look])).then(send);
      if (look === "match") return next();
      // The verdict stays until the guard has answered.
      window.clearTimeout(back);
      if (look === "unclear") screen.showUnclear();
      else screen.showMismatch();
    },
    onNext: () => next(),
  });

  const store = await Store.open();
  const own = await patiently(() => ownKey(store, device.keyName, sendEvents));
  if (own === null) {
    screen.lists(words.no_key, true);
    return;
  }
  // A tablet that was enrolled anew does not go on with the boot of the former.
  const boot = await startBoot(own.isNew ? null : navigator.serviceWorker?.controller ?? null);
  const deviceId = bytes(device.id);
  let judge: Judge;
  try {
    judge = await Judge.pinned(device.trustKey, localStorage, boot, deviceId, store);
  } catch (error) {
    if (!(error instanceof KeyChanged)) throw error;
    screen.lists(words.lists.changed_key, true);
    return;
  }
  const holder = { deviceId, checkpointId: bytes(device.checkpointId), key: own.key.key };
  const log = new Log(store, holder, boot, () => judge.now(), device.checkpoint);
  const guests = new Guests(store, judge.trustKey);
  await guests.open(judge.now());
  const gate = new Gate(judge, guests, log);
  const camera = new Camera(video, localStorage, (state) => {
    if (state === "running") void buttons.show();
    else screen.hint(words.camera[state]);
  });
  const buttons = new CameraButtons(camera);
  if (boot.isNew) await log.alone(() => log.began());
  await store.forgetSpent(new Date(judge.now().getTime() - SPENT_KEPT_MS));

  function next(): void {
    window.clearTimeout(back);
    busy = false;
    screen.close();
  }

  /** The tablet was revoked: nothing of the city's stays on it. */
  async function forget(): Promise<void> {
    busy = true;
    store.close();
    boot.end();
    screen.lists(words.not_enrolled, true);
    // Until it is gone: a browser that could not delete it now may a moment later.
    while (!(await wipe().then(() => true, () => false))) await pause();
  }

  const shift = new Shift(async () => {
    busy = true;
    await log.alone(() => log.ended());
    boot.end();
    camera.stop();
    await send();
    await tellLists();
  });

  async function send(): Promise<void> {
    try {
      const receipt = await log.send(sendEvents);
      isVoid ||= receipt?.isVoid ?? false;
    } catch (error) {
      if (error instanceof NotEnrolled) await forget();
    }
  }

  async function renew(): Promise<void> {
    try {
      const epoch = await judge.take(await fetchLists(AbortSignal.timeout(8_000)));
      log.versions = { ...judge.versions, roster: guests.version };
      if (epoch !== null && !shift.isOver) await log.alone(() => log.tookLeases(epoch));
    } catch (error) {
      if (error instanceof NotEnrolled) {
        // What the tablet saw goes up first: it is evidence, also of a tablet that was revoked.
        await log.send(sendEvents).catch(() => undefined);
        await forget();
        return;
      }
    }
    await send();
    await tellLists();
  }

  async function tellLists(): Promise<void> {
    const until = judge.listsUntil();
    const stale = until === null || judge.now() > until;
    const time = until === null ? "" : clockTime(judge.now());
    const waiting = await store.count();
    const parts = [until === null ? words.lists.none : fill(stale ? words.lists.stale : words.lists.fresh, { time })];
    if (judge.leased > 0) parts.push(fill(words.leased, { count: String(judge.leased) }));
    if (waiting > 0) parts.push(fill(words.waiting, { count: String(waiting) }));
    screen.lists(isVoid ? words.void : parts.join(" · "), stale || isVoid);
    if (shift.isOver) shift.showEnd(waiting > 0 ? fill(words.waiting, { count: String(waiting) }) : words.ended);
  }

  async function read(text: string): Promise<void> {
    if (busy || shift.isOver) return;
    busy = true;
    try {
      const shown = await gate.scan(text);
      scanId = shown.scanId;
      if (shown.answer !== null) screen.showAnswer(shown.answer, shown.record);
      else screen.showVerdict(shown.verdict, shown.record);
      announce(shown.verdict.outcome);
    } catch (error) {
      if (error instanceof NotEnrolled) return forget();
      throw error;
    }
    void send();
    back = window.setTimeout(next, BACK_TO_CAMERA_MS);
  }

  const wedge = new WedgeReader();
  document.addEventListener("keydown", (event) => {
    const typed = wedge.take(event.code, event.timeStamp);
    if (typed !== null) {
      event.preventDefault();
      if (busy) next();
      void read(typed);
    }
  });

  await tellLists();
  void keepForLater(device).catch(() => undefined);
  await renew();
  every(LISTS_EVERY_MS, renew);
  void guests.renew().catch(() => undefined);
  every(ROSTER_EVERY_MS, () => guests.renew().catch(() => undefined));
  watch(video, (text) => {
    if (busy) return false;
    void read(text);
    return true;
  });
  await camera.start();
  await navigator.wakeLock?.request("screen").catch(() => undefined);
}

/** Try until it works: without a network, or with a server that is just starting, it does later. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      await pause();
    }
  }
}

async function pause(): Promise<void> {
  await new Promise((done) => window.setTimeout(done, LISTS_EVERY_MS));
}

/** Do it again and again, each time after the last has ended. */
function every(milliseconds: number, work: () => Promise<void>): void {
  window.setTimeout(() => void work().finally(() => every(milliseconds, work)), milliseconds);
}

/** Let this page open without a network. */
async function keepForLater(device: Device): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register(device.offlineUrl, { scope: device.pageUrl });
  const ready = await navigator.serviceWorker.ready;
  const files = performance.getEntriesByType("resource").map((entry) => new URL(entry.name).pathname);
  const paths = [device.pageUrl, ...new Set(files.filter((path) => path.startsWith("/static/")))];
  ready.active?.postMessage({ kind: "paths", paths });
}

void run();
