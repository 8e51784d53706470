import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// Every file in src/entries is a script that a page may ask for; the one style sheet is an entry of its own.
const entries = readdirSync(new URL("src/entries", import.meta.url))
  .filter((name) => name.endsWith(".ts"))
  .map((name) => `src/entries/${name}`);

// A small compressed neighbour for what compresses; app/core/static_files.py sends it. A style sheet of 130 kB is 16 kB.
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    writeBundle({ dir }, bundle) {
      for (const name of Object.keys(bundle)) {
        if (dir === undefined || !/^assets\/.*\.(?:m?js|css|wasm|svg)$/.test(name)) continue;
        writeFileSync(join(dir, `${name}.gz`), gzipSync(readFileSync(join(dir, name)), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  base: "/static/dist/",
  publicDir: false,
  plugins: [compressed()],
  build: {
    outDir: "../static/dist",
    emptyOutDir: true,
    manifest: true,
    sourcemap: false,
    assetsInlineLimit: 0,
    // Old phones: browsers of about 2020 and later.
    target: ["chrome87", "edge88", "firefox78", "safari14"],
    modulePreload: { polyfill: false },
    rollupOptions: { input: [...entries, "src/styles/site.scss"] },
  },
  worker: { format: "es" },
  css: {
    // GOV.UK Frontend carries one media query for Internet Explorer that no parser accepts; it is dropped.
    lightningcss: { errorRecovery: true },
    preprocessorOptions: { scss: { loadPaths: ["node_modules"], quietDeps: true } },
  },
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts"],
    environment: "node",
  },
});
