// The roll of an evacuation on a warden's phone: what was last told is kept sealed, marks are written here first and sent
// as soon as the server answers. Without a network the page is the same.

import { lines, type Mark, type MarkKind, type Sheet } from "../roll_call/roll";
import { fill, Screen, type Words } from "../roll_call/screen";
import { fetchSheet, NotWarden, sendMarks, SignedOut } from "../roll_call/server";
import { Store } from "../roll_call/store";

const EVERY_MS = 5_000;
// As many marks as the server takes at once.
const MOST_SENT = 500;
const PAGE = "/reception/roll-call";

async function run(): Promise<void> {
  const words = JSON.parse(document.getElementById("roll-words")?.textContent ?? "{}") as Words;
  const store = await Store.open();
  let sheet: Sheet | undefined;
  let chosen = "";
  // The tag of the sheet that this page was told, and when it was last said to be still right.
  let have = "";
  let checkedAt = "";

  const shown = { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Ho_Chi_Minh" } as const;
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, shown);
  const time = (at: string): string => clock.format(new Date(at));
  const screen = new Screen(words, {
    onMark: (personId, mark) => void make(personId, mark),
    onBuilding: (id) => {
      chosen = id;
      void draw();
    },
    onWanted: () => void draw(),
  });

  async function draw(): Promise<void> {
    const building = sheet?.buildings.find((one) => one.id === chosen) ?? sheet?.buildings[0];
    if (sheet === undefined || building === undefined) return;
    chosen = building.id;
    const own = await store.marks();
    const waiting = new Set(own.filter((mark) => !mark.sent).map((mark) => mark.id));
    screen.show(sheet.buildings, building, lines(building, own, waiting), time);
  }

  /** Whether an evacuation goes on here, as far as this phone knows: told by the server, or begun by a mark of its own. */
  async function isRunning(): Promise<boolean> {
    const told = sheet?.buildings.some((one) => one.id === chosen && one.startedAt !== null) ?? false;
    return told || (await store.marks()).some((mark) => mark.buildingId === chosen);
  }

  async function make(personId: string, mark: MarkKind): Promise<void> {
    // The first mark begins the roll for everybody: nobody does that with a slip of the thumb.
    if (!(await isRunning()) && !window.confirm(words.begin)) return;
    const made: Mark = { id: crypto.randomUUID(), buildingId: chosen, personId, mark, at: new Date().toISOString() };
    await store.add(made);
    await draw();
    void sync();
  }

  /** Send what waits and fetch the newest sheet. Marks that were sent before it was asked for stand on it. */
  async function exchange(): Promise<void> {
    const before = await store.marks();
    const fresh = await fetchSheet(have);
    const shown = before.filter((mark) => mark.sent).map((mark) => mark.id);
    if ("unchangedAt" in fresh) {
      checkedAt = fresh.unchangedAt;
      await store.drop(shown);
    } else {
      await store.keep(fresh, shown);
      [have, checkedAt] = [fresh.tag, ""];
    }
    const unsent = before.filter((mark) => !mark.sent).slice(0, MOST_SENT);
    if (unsent.length > 0) await store.sent(await sendMarks(unsent, fresh.formToken));
  }

  let running: Promise<void> | null = null;
  function sync(): Promise<void> {
    running ??= oneSync().finally(() => {
      running = null;
    });
    return running;
  }

  async function oneSync(): Promise<void> {
    let state: "online" | "offline" | "nothing_kept" | "signed_out" | "not_warden" = "online";
    try {
      await exchange();
    } catch (error) {
      state = error instanceof SignedOut ? "signed_out" : error instanceof NotWarden ? "not_warden" : "offline";
      // Whoever may call no roll keeps no list of people either; marks are kept until they are sent.
      if (error instanceof NotWarden) await store.forgetSheet();
    }
    sheet = await store.sheet(new Date());
    if (state === "offline" && sheet === undefined) state = "nothing_kept";
    const waiting = (await store.marks()).filter((mark) => !mark.sent).length;
    if (sheet === undefined) have = "";
    const made = sheet === undefined ? "" : time(checkedAt || sheet.madeAt);
    const line = fill(words[state], { time: made });
    screen.status(waiting > 0 ? `${line} ${fill(words.waiting, { count: String(waiting) })}` : line, state !== "online");
    screen.signIn(state === "signed_out" || state === "not_warden", sheet !== undefined);
    await draw();
  }

  function every(): void {
    window.setTimeout(() => void sync().finally(every), EVERY_MS);
  }

  sheet = await store.sheet(new Date());
  screen.signIn(false, sheet !== undefined);
  await draw();
  void keepForLater();
  await sync();
  every();
  window.addEventListener("online", () => void sync());
}

/** Let this page open without a network. */
async function keepForLater(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  await navigator.storage?.persist?.().catch(() => false);
  await navigator.serviceWorker.register(`${PAGE}/offline.js`, { scope: PAGE });
  const ready = await navigator.serviceWorker.ready;
  const files = performance.getEntriesByType("resource").map((entry) => new URL(entry.name).pathname);
  ready.active?.postMessage([PAGE, ...new Set(files.filter((path) => path.startsWith("/static/")))]);
}

void run();
