import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

interface Manifest {
  version: string;
  dependencies: Record<string, string>;
}

function manifest(name: string): Manifest {
  const path = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf-8")) as Manifest;
}

it("serves the WebAssembly of the very version that its script was made for", () => {
  expect(manifest("zxing-wasm").version).toBe(manifest("barcode-detector").dependencies["zxing-wasm"]);
});
