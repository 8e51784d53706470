// The key of a tablet: made here, not extractable, named to the server when it is enrolled.

import { certificationRequest } from "../browser_keys/csr";
import { sha256Hex } from "../browser_keys/store";
import type { Bytes } from "../passes/cbor";
import { NoAnswer, NotEnrolled } from "./server";
import { type DeviceKey, type KeptEvent, Store } from "./store";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const AT_ONCE = 500;
const UNREADABLE = "422";
const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;

/** Make a key, keep it, and return the request that proves its possession; the one-time code is its challenge. */
export async function requestFor(code: string): Promise<Bytes> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  const store = await Store.open();
  // The former key stays until the server knows this one: a wrong code must not cost a tablet its key.
  await store.put("newKey", { key: pair.privateKey, name: await sha256Hex(spki) });
  store.close();
  // The browser may say no; then the readiness check says so.
  await navigator.storage?.persist?.().catch(() => false);
  return certificationRequest(
    spki,
    code,
    async (data) => new Uint8Array(await crypto.subtle.sign(SIGNING, pair.privateKey, data)),
  );
}

/** The key that this tablet goes by, and whether it was enrolled since it was last opened. */
export interface Own {
  readonly key: DeviceKey;
  readonly isNew: boolean;
}

/**
 * Return the key that the server knows by `name`; null where this browser does not have it.
 *
 * A browser that was enrolled anew is another tablet. The former one was revoked by that, and what it wrote is sent
 * first, as evidence; then all of it is forgotten but whom it let in. Throws when that could not be sent.
 */
export async function ownKey(
  store: Store,
  name: string,
  post: (events: readonly KeptEvent[]) => Promise<unknown>,
): Promise<Own | null> {
  const fresh = await store.get("newKey");
  if (fresh?.name !== name) {
    const key = await store.get("key");
    return key?.name === name ? { key, isNew: false } : null;
  }
  for (let left = await store.waiting(AT_ONCE); left.length > 0; left = await store.waiting(AT_ONCE)) {
    await post(left).catch((error: unknown) => {
      // The first is what the server says of a revoked tablet, after it took the entries; the second, that it never will.
      const isSettled = error instanceof NotEnrolled || (error instanceof NoAnswer && error.message === UNREADABLE);
      if (!isSettled) throw error;
    });
    await store.confirm(left.at(-1)?.seq ?? 0);
  }
  await store.beginAnew(fresh);
  return { key: fresh, isNew: true };
}
