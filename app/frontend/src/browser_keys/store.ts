// Signing keys of this browser: P-256, not extractable, in IndexedDB. The key object itself is stored; nobody, this page
// included, can read its private half.

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Bytes } from "./der";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;

export interface StoredKey {
  /** SHA-256 of the SubjectPublicKeyInfo in lower-case hex: how the server names the same key. */
  readonly id: string;
  readonly spki: Bytes;
  readonly key: CryptoKey;
  /** Whose it is, so that two people at one computer do not take each other's. */
  readonly owner: string;
  readonly createdAt: Date;
}

interface Schema extends DBSchema {
  keys: { key: string; value: StoredKey };
}

/** This browser cannot keep a key: a private window, a lockdown mode, or storage that is switched off. */
export class CannotKeepKeys extends Error {}

async function open(): Promise<IDBPDatabase<Schema>> {
  try {
    return await openDB<Schema>("kyvao-keys", 1, {
      upgrade: (fresh) => void fresh.createObjectStore("keys", { keyPath: "id" }),
    });
  } catch (error) {
    throw new CannotKeepKeys("no storage", { cause: error });
  }
}

/** Make a key, keep it, read it back and sign with what was read: only then it is worth a certificate. */
export async function makeKey(owner: string): Promise<StoredKey> {
  try {
    const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
    const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
    const made = { id: await sha256Hex(spki), spki, key: pair.privateKey, owner, createdAt: new Date() };
    const database = await open();
    await database.put("keys", made);
    database.close();
    await selfTest(made.id, pair.publicKey);
    // Asks the browser not to throw the key away when space runs low; it may say no, and nothing depends on it.
    await globalThis.navigator?.storage?.persist?.().catch(() => false);
    return made;
  } catch (error) {
    if (error instanceof CannotKeepKeys) throw error;
    throw new CannotKeepKeys("the key could not be kept", { cause: error });
  }
}

export async function findKey(id: string): Promise<StoredKey | undefined> {
  const database = await open();
  try {
    return await database.get("keys", id);
  } finally {
    database.close();
  }
}

export async function keysOf(owner: string): Promise<StoredKey[]> {
  const database = await open();
  try {
    return (await database.getAll("keys")).filter((key) => key.owner === owner);
  } finally {
    database.close();
  }
}

export async function forgetKey(id: string): Promise<void> {
  const database = await open();
  try {
    await database.delete("keys", id);
  } finally {
    database.close();
  }
}

/** Sign `data` (hashed here with SHA-256); r and s of 32 bytes each. */
export async function signWith(stored: StoredKey, data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign(SIGNING, stored.key, data));
}

export async function sha256Hex(data: Bytes): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return [...digest].map((octet) => octet.toString(16).padStart(2, "0")).join("");
}

async function selfTest(id: string, publicKey: CryptoKey): Promise<void> {
  const stored = await findKey(id);
  const probe = crypto.getRandomValues(new Uint8Array(32));
  const holds =
    stored !== undefined &&
    !stored.key.extractable &&
    (await crypto.subtle.verify(SIGNING, publicKey, await signWith(stored, probe), probe));
  if (!holds) throw new CannotKeepKeys("what was kept is not what was made");
}
