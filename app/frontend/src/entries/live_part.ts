// A part of a page that keeps itself up to date: fetched again every few seconds, the page around it left alone.
import { readConfiguration } from "../certificates/messages";

const FIRST = 2_000;
const SLOWEST = 10_000;
const configuration = readConfiguration("live-part", ["address", "part", "state"]);

void follow();

async function follow(): Promise<void> {
  for (let pause = FIRST; ; ) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (document.visibilityState === "hidden") continue;
    const fresh = await fetchPart();
    // The network or the session is away: look less often, and let the page stand as it is.
    pause = fresh === undefined ? SLOWEST : FIRST;
    if (fresh !== undefined && !show(fresh)) return;
  }
}

async function fetchPart(): Promise<Element | undefined> {
  try {
    const answer = await fetch(configuration.address, { headers: { Accept: "text/html" }, redirect: "error" });
    if (!answer.ok) return undefined;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.querySelector("[data-live-state]") ?? undefined;
  } catch {
    return undefined;
  }
}

/** Put the part in place; false when a new state needs the whole page, with other acts on it. */
function show(fresh: Element): boolean {
  if (fresh.getAttribute("data-live-state") !== configuration.state) {
    location.reload();
    return false;
  }
  const part = document.getElementById(configuration.part);
  // Whoever is about to press a button in it is not interrupted.
  if (part && !part.contains(document.activeElement)) part.replaceChildren(fresh);
  return true;
}
