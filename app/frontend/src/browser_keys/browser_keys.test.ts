import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import "fake-indexeddb/auto";
import { describe, expect, it } from "vitest";
import { certificationRequest, signatureToDer } from "./csr";
import { integer, oid, sequence } from "./der";
import { findKey, forgetKey, keysOf, makeKey, sha256Hex, signWith } from "./store";

function openssl(der: Uint8Array): string {
  const file = joinPath(mkdtempSync(joinPath(tmpdir(), "csr-")), "request.der");
  writeFileSync(file, der);
  const done = spawnSync("openssl", ["req", "-inform", "DER", "-in", file, "-noout", "-verify", "-text"], {
    encoding: "utf-8",
  });
  return done.stdout + done.stderr;
}

describe("a key of this browser", () => {
  it("is kept, cannot be taken out, and signs", async () => {
    const made = await makeKey("lan");
    expect(made.key.extractable).toBe(false);
    await expect(crypto.subtle.exportKey("pkcs8", made.key)).rejects.toThrow();
    const found = await findKey(made.id);
    expect(found?.id).toBe(await sha256Hex(made.spki));
    expect((await signWith(made, new Uint8Array([1]))).length).toBe(64);
  });

  it("is found by its owner alone, and is gone when forgotten", async () => {
    const made = await makeKey("minh");
    await makeKey("hanh");
    expect((await keysOf("minh")).map((key) => key.id)).toEqual([made.id]);
    await forgetKey(made.id);
    expect(await findKey(made.id)).toBeUndefined();
  });
});

describe("a certification request", () => {
  it("is accepted by OpenSSL, with its signature and its challenge", async () => {
    const key = await makeKey("lan");
    const der = await certificationRequest(key.spki, "thử-thách_123", (data) => signWith(key, data));
    const text = openssl(der);
    expect(text).toMatch(/verify OK/i);
    expect(text).toContain("ecdsa-with-SHA256");
    expect(text).toContain("challengePassword");
  });

  it("does not verify when a byte was changed", async () => {
    const key = await makeKey("lan");
    const der = await certificationRequest(key.spki, "a", (data) => signWith(key, data));
    const at = der.length - 8;
    der[at] = (der[at] ?? 0) ^ 1;
    expect(openssl(der)).not.toMatch(/verify OK/i);
  });
});

describe("DER", () => {
  it("writes integers in their shortest positive form", () => {
    expect([...integer(Uint8Array.from([0, 0, 1]))]).toEqual([2, 1, 1]);
    expect([...integer(Uint8Array.from([0x80]))]).toEqual([2, 2, 0, 0x80]);
    expect([...integer(Uint8Array.from([0]))]).toEqual([2, 1, 0]);
  });

  it("writes long lengths and long arcs", () => {
    expect([...sequence(new Uint8Array(200)).slice(0, 3)]).toEqual([0x30, 0x81, 200]);
    expect([...oid("1.2.840.113549")]).toEqual([6, 6, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]);
  });

  it("refuses a signature of another length", () => {
    expect(() => signatureToDer(new Uint8Array(63))).toThrow();
  });
});
