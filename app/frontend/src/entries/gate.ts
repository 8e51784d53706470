// The scanning page of a tablet: a code comes into view, the tablet decides, the server admits once.

import { Camera } from "../gate/camera";
import { watch } from "../gate/detector";
import { Judge, KeyChanged } from "../gate/judge";
import { Outbox } from "../gate/outbox";
import { clockTime, Screen } from "../gate/screen";
import { type Answer, fetchLists, NotEnrolled, type ScanMessage, sendFace, sendScan } from "../gate/server";
import { announce } from "../gate/sound";
import { WedgeReader } from "../gate/wedge";
import { fill, readWords } from "../gate/words";
import { verdict } from "../passes/decision";

const LISTS_EVERY_MS = 10_000;
const BACK_TO_CAMERA_MS = 12_000;

async function run(): Promise<void> {
  const words = readWords();
  const video = document.querySelector<HTMLVideoElement>("[data-video]");
  const trustKey = document.querySelector<HTMLElement>("[data-trust-key]")?.dataset["trustKey"];
  if (video === null || trustKey === undefined) return;

  let formToken = "";
  let scanId = "";
  let busy = false;
  let back = 0;
  const screen = new Screen(words, {
    onFace: (matches) => {
      void sendFace(scanId, matches, formToken).catch(() => undefined);
      if (matches) next();
      else screen.showMismatch();
    },
    onNext: () => next(),
  });
  const outbox = await Outbox.open();

  let judge: Judge;
  try {
    judge = Judge.pinned(trustKey, localStorage);
  } catch (error) {
    if (!(error instanceof KeyChanged)) throw error;
    screen.lists(words.lists.changed_key, true);
    return;
  }

  function next(): void {
    window.clearTimeout(back);
    busy = false;
    screen.close();
  }

  async function renewLists(): Promise<void> {
    try {
      const lists = await fetchLists(AbortSignal.timeout(8000));
      formToken = lists.formToken;
      await judge.take(lists);
      await outbox.flush((message) => sendScan(message, formToken));
    } catch (error) {
      if (error instanceof NotEnrolled) {
        screen.lists(words.not_enrolled, true);
        return;
      }
    }
    const until = judge.listsUntil();
    const stale = until === null || judge.now() > until;
    const time = until === null ? "" : clockTime(judge.now());
    const waiting = await outbox.count();
    const line = until === null ? words.lists.none : fill(stale ? words.lists.stale : words.lists.fresh, { time });
    screen.lists(waiting > 0 ? `${line} · ${fill(words.waiting, { count: String(waiting) })}` : line, stale);
  }

  async function read(text: string): Promise<void> {
    if (busy) return;
    busy = true;
    scanId = crypto.randomUUID();
    const own = await judge.judge(text);
    const message: ScanMessage = {
      scan_id: scanId,
      digits: text.slice(0, 2000),
      scanned_at: judge.now().toISOString(),
      outcome: own.outcome,
      reason: own.reason,
    };
    const kept = await outbox.keep(message);
    // A refusal needs nobody else; a green light waits for the one place that knows whether the pass was used.
    if (own.outcome === "refuse") {
      screen.showVerdict(own);
      announce("refuse");
    }
    let answer: Answer | null = null;
    try {
      answer = await sendScan(message, formToken);
      await outbox.confirm(kept);
    } catch {
      // Kept in the outbox; it goes up with the next lists.
    }
    if (answer !== null) {
      screen.showAnswer(answer);
      if (own.outcome !== "refuse" || answer.outcome !== "refuse") announce(answer.outcome);
    } else if (own.outcome !== "refuse") {
      screen.showVerdict(own.outcome === "admit" ? verdict("look_again", "no_network") : own);
      announce("look_again");
    }
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

  await renewLists();
  window.setInterval(() => void renewLists(), LISTS_EVERY_MS);
  watch(video, (text) => {
    if (busy) return false;
    void read(text);
    return true;
  });
  await new Camera(video, (state) => {
    if (state !== "running") screen.hint(words.camera[state]);
  }).start();
  await navigator.wakeLock?.request("screen").catch(() => undefined);
}

void run();
