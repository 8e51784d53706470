// Which passes this tablet may admit by itself while it has no network, and until when; see pki/passes/lease.py.

import { asArray, asBytes, asNatural, type Bytes } from "./cbor";
import { PassRejected } from "./faults";
import { openList, same, type Edition } from "./lists";

/** How far the clocks of a tablet and of the city may lie apart. */
export const SKEW_MS = 120_000;

export type Policy = "strict" | "lenient";
const POLICIES: readonly Policy[] = ["strict", "lenient"];

export class LeaseList {
  private constructor(
    readonly edition: Edition,
    private readonly entries: ReadonlyMap<string, Policy>,
  ) {}

  /** Read the list; one that was signed for another tablet or an earlier boot is malformed. */
  static async verify(
    message: Bytes,
    trustKey: Bytes,
    holder: { readonly deviceId: Bytes; readonly bootId: Bytes },
    atLeast: number,
  ): Promise<LeaseList> {
    const { edition, body } = await openList("leases", message, trustKey, atLeast);
    const parts = asArray(body);
    const [device, boot, rows] = parts;
    const mine = parts.length === 3 && same(asBytes(device), holder.deviceId) && same(asBytes(boot), holder.bootId);
    if (!mine) throw new PassRejected("malformed");
    return new LeaseList(edition, new Map(asArray(rows).map((row) => readEntry(asArray(row)))));
  }

  get epoch(): number {
    return this.edition.version;
  }

  get size(): number {
    return this.entries.size;
  }

  /** Whether this tablet may admit the pass and slot now, by its own clock. */
  holds(statusIndex: number, slot: number, now: Date): boolean {
    return this.policyOf(statusIndex, slot) !== null && now.getTime() <= this.edition.nextUpdate.getTime() - SKEW_MS;
  }

  policyOf(statusIndex: number, slot: number): Policy | null {
    return this.entries.get(`${statusIndex}/${slot}`) ?? null;
  }
}

function readEntry(row: readonly (Parameters<typeof asNatural>[0])[]): [string, Policy] {
  const [index, slot, code] = row.map((value) => asNatural(value));
  const policy = POLICIES[code ?? POLICIES.length];
  if (row.length !== 3 || index === undefined || slot === undefined || policy === undefined) {
    throw new PassRejected("malformed");
  }
  return [`${index}/${slot}`, policy];
}
