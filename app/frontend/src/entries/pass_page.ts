// A guest's page: keeps the screen awake while the code is shown. Everything else works without script.

async function stayAwake(): Promise<void> {
  if (document.querySelector(".kv-pass__code") === null || document.visibilityState !== "visible") return;
  await navigator.wakeLock?.request("screen").catch(() => undefined);
}

document.addEventListener("visibilitychange", () => void stayAwake());
void stayAwake();
