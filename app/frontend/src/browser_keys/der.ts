// DER written by hand, for the one structure a browser has to make: a certification request (X.690, RFC 2986).

export type Bytes = Uint8Array<ArrayBuffer>;

export function element(tag: number, ...contents: readonly Bytes[]): Bytes {
  const body = join(contents);
  return join([Uint8Array.from([tag, ...length(body.length)]), body]);
}

export function sequence(...contents: readonly Bytes[]): Bytes {
  return element(0x30, ...contents);
}

export function set(...contents: readonly Bytes[]): Bytes {
  return element(0x31, ...contents);
}

export function oid(dotted: string): Bytes {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return element(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** A positive INTEGER from its big-endian octets, in the shortest form. */
export function integer(octets: Bytes): Bytes {
  let start = 0;
  while (start < octets.length - 1 && octets[start] === 0) start++;
  const shortest = octets.slice(start);
  const sign = ((shortest[0] ?? 0) & 0x80) === 0 ? [] : [0];
  return element(0x02, Uint8Array.from([...sign, ...shortest]));
}

export function bitString(octets: Bytes): Bytes {
  return element(0x03, Uint8Array.from([0]), octets);
}

export function utf8String(text: string): Bytes {
  return element(0x0c, new TextEncoder().encode(text));
}

export function join(parts: readonly Bytes[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function length(size: number): number[] {
  if (size < 0x80) return [size];
  const octets: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
}

function base128(arc: number): number[] {
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift((rest % 128) | 0x80);
  return octets;
}
