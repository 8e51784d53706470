// Strict reading of DER (X.690, 10): definite lengths in the shortest form, one-octet tags, nothing left over. What
// reads in two ways could be shown as one thing and signed as another.

import type { Bytes } from "../browser_keys/der";

export interface Element {
  readonly tag: number;
  readonly content: Bytes;
  /** Tag, length and content as they stand. */
  readonly encoded: Bytes;
}

export class NotDer extends Error {}

/** The one element that `data` is. */
export function readOne(data: Bytes): Element {
  const [element, ...more] = readAll(data);
  if (element === undefined || more.length > 0) throw new NotDer("not one element");
  return element;
}

/** The elements that stand one after the other in `data`. */
export function readAll(data: Bytes): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < data.length; ) {
    const element = readAt(data, at);
    elements.push(element);
    at += element.encoded.length;
  }
  return elements;
}

/** The elements inside one with that tag. */
export function inside(element: Element | undefined, tag: number): Element[] {
  return readAll(contentOf(element, tag));
}

export function contentOf(element: Element | undefined, tag: number): Bytes {
  if (element === undefined || element.tag !== tag) throw new NotDer("another kind of element");
  return element.content;
}

export function equal(left: Bytes, right: Bytes): boolean {
  return left.length === right.length && left.every((octet, at) => octet === right[at]);
}

function readAt(data: Bytes, at: number): Element {
  const tag = octetAt(data, at);
  if ((tag & 0x1f) === 0x1f) throw new NotDer("a tag of several octets");
  const first = octetAt(data, at + 1);
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first - 0x80;
    if (count < 1 || count > 3) throw new NotDer("an indefinite or huge length");
    length = 0;
    for (let n = 0; n < count; n++) length = length * 256 + octetAt(data, start + n);
    start += count;
    if (length < 0x80 || length < 256 ** (count - 1)) throw new NotDer("a length in a longer form than needed");
  }
  const end = start + length;
  if (end > data.length) throw new NotDer("shorter than its length");
  return { tag, content: data.slice(start, end), encoded: data.slice(at, end) };
}

function octetAt(data: Bytes, at: number): number {
  const octet = data[at];
  if (octet === undefined) throw new NotDer("ends too early");
  return octet;
}
