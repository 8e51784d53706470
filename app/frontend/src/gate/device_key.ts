// The key of a tablet: made here, not extractable, named to the server when it is enrolled.

import { certificationRequest } from "../browser_keys/csr";
import { sha256Hex } from "../browser_keys/store";
import type { Bytes } from "../passes/cbor";
import { Store } from "./store";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;

/** Make a key, keep it, and return the request that proves its possession; the one-time code is its challenge. */
export async function requestFor(code: string): Promise<Bytes> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  const store = await Store.open();
  await store.put("key", { key: pair.privateKey, name: await sha256Hex(spki) });
  store.close();
  // The browser may say no; then the readiness check says so.
  await navigator.storage?.persist?.().catch(() => false);
  return certificationRequest(
    spki,
    code,
    async (data) => new Uint8Array(await crypto.subtle.sign(SIGNING, pair.privateKey, data)),
  );
}
