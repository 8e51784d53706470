// The holder's pages: says when the key is not in this browser, and looks by itself what became of a request.
import { findKey } from "../browser_keys/store";
import { pause, readConfiguration, readText } from "../certificates/messages";

if (document.getElementById("current-certificate")) void lookForKey();
if (document.getElementById("request-state")) void lookAtRequest();

async function lookForKey(): Promise<void> {
  const { key } = readConfiguration("current-certificate", ["key"]);
  const found = await findKey(key).catch(() => undefined);
  const explanation = document.querySelector<HTMLElement>("[data-key-missing]");
  if (explanation && !found) explanation.hidden = false;
}

async function lookAtRequest(): Promise<void> {
  const { address, state } = readConfiguration("request-state", ["address", "state"]);
  for (let looks = 0; ; looks += 1) {
    await new Promise((resolve) => setTimeout(resolve, pause(looks)));
    if (document.visibilityState === "hidden") continue;
    const now = await stateNow(address);
    if (now !== undefined && now !== state) {
      location.reload();
      return;
    }
  }
}

/** undefined when the network or the session is away: the next look may tell. */
async function stateNow(address: string): Promise<string | undefined> {
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    return answer.ok ? readText(await answer.json(), "state") : undefined;
  } catch {
    return undefined;
  }
}
