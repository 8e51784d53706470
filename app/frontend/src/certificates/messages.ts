// What the page hands over and what the server answers, parsed before it has a type.

type Fields<Name extends string> = Readonly<Record<Name, string>>;

/** Return a text field of a parsed JSON value; without `otherwise`, a missing one is an error. */
export function readText(value: unknown, name: string, otherwise?: string): string {
  const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  if (typeof found === "string") return found;
  if (otherwise !== undefined) return otherwise;
  throw new TypeError(`no text “${name}”`);
}

/** Return the named text fields of the JSON block with that id. */
export function readConfiguration<Name extends string>(id: string, names: readonly Name[]): Fields<Name> {
  const value: unknown = JSON.parse(document.getElementById(id)?.textContent ?? "null");
  return Object.fromEntries(names.map((name) => [name, readText(value, name)])) as Fields<Name>;
}

export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** How long to wait before the next look, in milliseconds: two seconds first, half a minute at last. */
export function pause(looks: number): number {
  return Math.min(2_000 * 1.5 ** looks, 30_000);
}
