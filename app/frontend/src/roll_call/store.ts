// What a warden's phone keeps: the sealed sheet with a key that no script can read out, and the marks made here.

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { readSheet, type Sealed } from "./messages";
import type { Mark, Sheet } from "./roll";

const NAME = "kyvao-roll-call";
const NONCE = 12;

interface KeptSheet {
  readonly sealed: Uint8Array<ArrayBuffer>;
  readonly key: CryptoKey;
  readonly until: Date;
}

/** A mark made here; the server has it once `sent`, and a sheet fetched after that shows it. */
export interface OwnMark extends Mark {
  readonly sent: boolean;
}

interface Schema extends DBSchema {
  sheet: { key: string; value: KeptSheet };
  marks: { key: string; value: OwnMark };
}

export class Store {
  private constructor(private readonly database: IDBPDatabase<Schema>) {}

  static async open(): Promise<Store> {
    return new Store(
      await openDB<Schema>(NAME, 1, {
        upgrade: (fresh) => {
          fresh.createObjectStore("sheet");
          fresh.createObjectStore("marks", { keyPath: "id" });
        },
      }),
    );
  }

  /** Drop marks that stand on the sheet. */
  async drop(shown: readonly string[]): Promise<void> {
    const act = this.database.transaction("marks", "readwrite");
    await Promise.all([...shown.map((id) => act.store.delete(id)), act.done]);
  }

  /** Keep a sheet in place of the last. Marks that were sent before it was asked for (`shown`) stand on it. */
  async keep(fresh: Sealed, shown: readonly string[]): Promise<void> {
    const key = await crypto.subtle.importKey("raw", fresh.key, "AES-GCM", false, ["decrypt"]);
    fresh.key.fill(0);
    const act = this.database.transaction(["sheet", "marks"], "readwrite", { durability: "strict" });
    await Promise.all([
      act.objectStore("sheet").put({ sealed: fresh.sealed, key, until: fresh.until }, "sheet"),
      ...shown.map((id) => act.objectStore("marks").delete(id)),
      act.done,
    ]);
  }

  /** The sheet that is kept; undefined without one, and from the end of the shift on, when it is forgotten. */
  async sheet(now: Date): Promise<Sheet | undefined> {
    const kept = await this.database.get("sheet", "sheet");
    if (kept === undefined) return undefined;
    if (now >= kept.until) {
      await this.forgetSheet();
      return undefined;
    }
    const nonce = kept.sealed.slice(0, NONCE);
    const opened = await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce }, kept.key, kept.sealed.slice(NONCE));
    return readSheet(JSON.parse(new TextDecoder().decode(opened)));
  }

  async forgetSheet(): Promise<void> {
    await this.database.delete("sheet", "sheet");
  }

  /** Write a mark onto the disk before anybody is shown that it is made. */
  async add(mark: Mark): Promise<void> {
    const act = this.database.transaction("marks", "readwrite", { durability: "strict" });
    await Promise.all([act.store.put({ ...mark, sent: false }), act.done]);
  }

  async marks(): Promise<OwnMark[]> {
    return this.database.getAll("marks");
  }

  async sent(ids: readonly string[]): Promise<void> {
    const act = this.database.transaction("marks", "readwrite", { durability: "strict" });
    for (const id of ids) {
      const mark = await act.store.get(id);
      if (mark !== undefined) await act.store.put({ ...mark, sent: true });
    }
    await act.done;
  }

  close(): void {
    this.database.close();
  }
}
