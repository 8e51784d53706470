// CBOR (RFC 8949) read strictly: definite lengths in their shortest form, integer keys once each and in order, nothing
// after the end. Only the kinds that passes and their lists use exist here.

import { PassRejected } from "./faults";

export type Bytes = Uint8Array<ArrayBuffer>;
export type CborMap = ReadonlyMap<number, Cbor>;
export type Cbor = number | string | Bytes | readonly Cbor[] | CborMap;

const DEEPEST = 6;

export function decode(data: Bytes): Cbor {
  const reader = new Reader(data);
  const value = reader.value(0);
  if (!reader.atEnd()) throw malformed();
  return value;
}

/** A whole number from 0. */
export function asNatural(value: Cbor | undefined): number {
  if (typeof value !== "number" || value < 0) throw malformed();
  return value;
}

export function asText(value: Cbor | undefined): string {
  if (typeof value !== "string") throw malformed();
  return value;
}

export function asBytes(value: Cbor | undefined): Bytes {
  if (!(value instanceof Uint8Array)) throw malformed();
  return value;
}

export function asArray(value: Cbor | undefined): readonly Cbor[] {
  if (!Array.isArray(value)) throw malformed();
  return value as readonly Cbor[];
}

export function asMap(value: Cbor | undefined): CborMap {
  if (!(value instanceof Map)) throw malformed();
  return value as CborMap;
}

/** The head of a value: major type and argument in the shortest form. */
export function head(major: number, argument: number): number[] {
  if (argument < 24) return [(major << 5) | argument];
  if (argument < 0x100) return [(major << 5) | 24, argument];
  if (argument < 0x10000) return [(major << 5) | 25, argument >> 8, argument & 0xff];
  return [(major << 5) | 26, argument >>> 24, (argument >> 16) & 0xff, (argument >> 8) & 0xff, argument & 0xff];
}

function malformed(): PassRejected {
  return new PassRejected("malformed");
}

function hex(data: Bytes): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

class Reader {
  private at = 0;

  constructor(private readonly data: Bytes) {}

  atEnd(): boolean {
    return this.at === this.data.length;
  }

  value(depth: number): Cbor {
    if (depth > DEEPEST) throw malformed();
    const first = this.byte();
    const major = first >> 5;
    const argument = this.argument(first & 0x1f);
    switch (major) {
      case 0:
        return argument;
      case 1:
        return -1 - argument;
      case 2:
        return this.take(argument);
      case 3:
        return this.text(argument);
      case 4:
        return this.array(argument, depth);
      case 5:
        return this.map(argument, depth);
      default:
        throw malformed();
    }
  }

  private argument(short: number): number {
    if (short < 24) return short;
    const size = { 24: 1, 25: 2, 26: 4 }[short];
    if (size === undefined) throw malformed();
    const value = this.take(size).reduce((sum, byte) => sum * 256 + byte, 0);
    const smallest = { 24: 24, 25: 0x100, 26: 0x10000 }[short] ?? 0;
    if (value < smallest) throw malformed();
    return value;
  }

  private array(count: number, depth: number): readonly Cbor[] {
    // Each item takes a byte at least: a huge count in a short message is refused before anything is made.
    if (count > this.data.length - this.at) throw malformed();
    return Array.from({ length: count }, () => this.value(depth + 1));
  }

  private map(count: number, depth: number): CborMap {
    const found = new Map<number, Cbor>();
    let before = "";
    for (let done = 0; done < count; done++) {
      const start = this.at;
      const key = this.value(depth + 1);
      const written = hex(this.data.subarray(start, this.at));
      // In order of their bytes (RFC 8949, 4.2.1), which also means that none comes twice.
      if (typeof key !== "number" || written <= before) throw malformed();
      before = written;
      found.set(key, this.value(depth + 1));
    }
    return found;
  }

  private text(size: number): string {
    try {
      // A byte order mark would be dropped silently, and Python keeps it.
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.take(size));
    } catch {
      throw malformed();
    }
  }

  private take(size: number): Bytes {
    if (size > this.data.length - this.at) throw malformed();
    this.at += size;
    return this.data.slice(this.at - size, this.at);
  }

  private byte(): number {
    const byte = this.data[this.at];
    if (byte === undefined) throw malformed();
    this.at += 1;
    return byte;
  }
}
