// What a tablet keeps: its key, what it was last told, its log, and which passes it has let in.

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Bytes } from "../passes/cbor";

const NAME = "kyvao-gate";

export interface DeviceKey {
  readonly key: CryptoKey;
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex: how the server names the same key. */
  readonly name: string;
}

/** What the server last told this tablet. */
export interface Told {
  readonly trustList: Bytes;
  readonly statusList: Bytes;
  readonly lease: Bytes | null;
  readonly building: string;
  readonly zone: number;
  /** The server's time in milliseconds, and the boot and its counted milliseconds at which it was told. */
  readonly serverMs: number;
  readonly boot: string;
  readonly monotonicMs: number;
  readonly dayKeys: Readonly<Record<string, Bytes>>;
}

export interface KeptRoster {
  readonly id: string;
  readonly header: Bytes;
  readonly body: Bytes;
}

/** How far the log goes: number and digest of its last entry, and its clock. */
export interface Tip {
  readonly seq: number;
  readonly head: Bytes;
  readonly hlc: bigint;
}

export interface KeptEvent {
  readonly seq: number;
  readonly event: Bytes;
  readonly signature: Bytes;
  readonly salt: Bytes;
  readonly digits: string | null;
}

export interface Spent {
  readonly at: Date;
  readonly place: string;
}

interface Facts {
  key: DeviceKey;
  /** Made for an enrolment that the server has not confirmed yet. */
  newKey: DeviceKey;
  told: Told;
  roster: KeptRoster;
  tip: Tip;
}

interface Schema extends DBSchema {
  facts: { key: string; value: unknown };
  events: { key: number; value: KeptEvent };
  spent: { key: string; value: Spent };
}

export class Store {
  private constructor(private readonly database: IDBPDatabase<Schema>) {}

  static async open(): Promise<Store> {
    const database = await openDB<Schema>(NAME, 2, {
      upgrade: (fresh, from) => {
        if (from === 1) fresh.deleteObjectStore("scans" as never);
        fresh.createObjectStore("facts");
        fresh.createObjectStore("events", { keyPath: "seq" });
        fresh.createObjectStore("spent");
      },
      // Another page of this tablet wipes it.
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
    });
    return new Store(database);
  }

  async get<Name extends keyof Facts>(name: Name): Promise<Facts[Name] | undefined> {
    return (await this.database.get("facts", name)) as Facts[Name] | undefined;
  }

  async put<Name extends keyof Facts>(name: Name, value: Facts[Name]): Promise<void> {
    await this.database.put("facts", value, name);
  }

  async spentAt(right: string): Promise<Spent | undefined> {
    return this.database.get("spent", right);
  }

  /** Forget the rights that were used before a moment: their places in the status list go to other passes later. */
  async forgetSpent(before: Date): Promise<void> {
    const act = this.database.transaction("spent", "readwrite");
    for (let at = await act.store.openCursor(); at !== null; at = await at.continue()) {
      if (at.value.at < before) await at.delete();
    }
    await act.done;
  }

  /** Write an entry, the new tip and the right it used at once, onto the disk, before anybody is shown anything. */
  async append(entry: KeptEvent, tip: Tip, spends: { readonly right: string; readonly spent: Spent } | null): Promise<void> {
    const act = this.database.transaction(["facts", "events", "spent"], "readwrite", { durability: "strict" });
    await Promise.all([
      act.objectStore("events").add(entry),
      act.objectStore("facts").put(tip, "tip"),
      spends === null ? undefined : act.objectStore("spent").put(spends.spent, spends.right),
      act.done,
    ]);
  }

  async waiting(most: number): Promise<KeptEvent[]> {
    return this.database.getAll("events", null, most);
  }

  async count(): Promise<number> {
    return this.database.count("events");
  }

  /** Forget the entries that the server has without a gap. */
  async confirm(contiguous: number): Promise<void> {
    await this.database.delete("events", IDBKeyRange.upperBound(contiguous));
  }

  /** Be another tablet: nothing of the former stays but what it let in, and what its browser may keep. */
  async beginAnew(key: DeviceKey): Promise<void> {
    const act = this.database.transaction(["facts", "events"], "readwrite", { durability: "strict" });
    await Promise.all([
      act.objectStore("facts").clear(),
      act.objectStore("events").clear(),
      act.objectStore("facts").put(key, "key"),
      act.done,
    ]);
  }

  close(): void {
    this.database.close();
  }
}

/**
 * Forget everything of this tablet: what lies on its disk, and what its pages were kept for. Ends when all of it is
 * gone; while another page holds the database, it waits until that page has let go. Throws when the browser cannot.
 */
export async function wipe(): Promise<void> {
  localStorage.clear();
  const names = (await globalThis.caches?.keys()) ?? [];
  await Promise.all(names.filter((name) => name.startsWith(NAME)).map((name) => caches.delete(name)));
  await new Promise<void>((done, fail) => {
    const request = indexedDB.deleteDatabase(NAME);
    request.onsuccess = () => done();
    request.onerror = () => fail(request.error ?? new Error("not deleted"));
  });
}
