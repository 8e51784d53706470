// Scans that the server has not confirmed yet, kept through a reload or a dead battery, sent in their order.

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { ScanMessage } from "./server";

interface Kept {
  readonly order?: number;
  readonly message: ScanMessage;
}

interface Schema extends DBSchema {
  scans: { key: number; value: Kept };
}

export class Outbox {
  private constructor(private readonly database: IDBPDatabase<Schema>) {}

  static async open(): Promise<Outbox> {
    const database = await openDB<Schema>("kyvao-gate", 1, {
      upgrade: (fresh) => void fresh.createObjectStore("scans", { keyPath: "order", autoIncrement: true }),
    });
    return new Outbox(database);
  }

  async keep(message: ScanMessage): Promise<number> {
    // Written before anything is shown: what the guard saw is never lost.
    const transaction = this.database.transaction("scans", "readwrite", { durability: "strict" });
    const order = await transaction.store.add({ message });
    await transaction.done;
    return order;
  }

  async confirm(order: number): Promise<void> {
    await this.database.delete("scans", order);
  }

  async count(): Promise<number> {
    return this.database.count("scans");
  }

  /** Send what is kept, oldest first, until one fails; what the server takes is confirmed. */
  async flush(send: (message: ScanMessage) => Promise<unknown>): Promise<void> {
    for (const order of await this.database.getAllKeys("scans")) {
      const kept = await this.database.get("scans", order);
      if (kept === undefined) continue;
      try {
        await send(kept.message);
      } catch {
        return;
      }
      await this.confirm(order);
    }
  }
}
