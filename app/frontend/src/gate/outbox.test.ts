import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, describe, expect, it } from "vitest";
import { Outbox } from "./outbox";
import type { ScanMessage } from "./server";

function scan(id: string): ScanMessage {
  return { scan_id: id, digits: "791", scanned_at: "2026-11-22T00:00:00Z", outcome: "admit", reason: "admitted" };
}

describe("the outbox of a tablet", () => {
  beforeEach(() => {
    globalThis.indexedDB = new IDBFactory();
  });

  it("sends in order and forgets only what was taken", async () => {
    const outbox = await Outbox.open();
    for (const id of ["a", "b", "c"]) await outbox.keep(scan(id));
    const sent: string[] = [];
    await outbox.flush((message) => {
      if (message.scan_id === "c") return Promise.reject(new Error("no network"));
      sent.push(message.scan_id);
      return Promise.resolve();
    });
    expect(sent).toEqual(["a", "b"]);
    expect(await outbox.count()).toBe(1);
  });

  it("keeps its scans when the page is opened again", async () => {
    await (await Outbox.open()).keep(scan("a"));
    expect(await (await Outbox.open()).count()).toBe(1);
  });

  it("forgets a scan that was confirmed at once", async () => {
    const outbox = await Outbox.open();
    await outbox.confirm(await outbox.keep(scan("a")));
    expect(await outbox.count()).toBe(0);
  });
});
