// The gap that a signature leaves in a PDF: the same check as pki/pades/byte_range.py, without parsing the PDF.

import { sha256Hex } from "../browser_keys/store";
import { join, type Bytes } from "../browser_keys/der";

export type ByteRange = readonly [number, number, number, number];

/**
 * Whether everything is covered but one hexadecimal string between `<` and `>`. White space or a second string in the
 * gap could carry content that nobody signed.
 */
export function isSound(pdf: Bytes, range: ByteRange): boolean {
  const [start, gapStart, gapEnd, tail] = range;
  if (!range.every(Number.isSafeInteger) || start !== 0 || tail < 1) return false;
  if (!(gapStart > 0 && gapStart < gapEnd - 1 && gapEnd < pdf.length && gapEnd + tail === pdf.length)) return false;
  const gap = pdf.subarray(gapStart, gapEnd);
  if (gap[0] !== 0x3c || gap[gap.length - 1] !== 0x3e || gap.length % 2 !== 0) return false;
  return gap.subarray(1, -1).every(isHexadecimal);
}

/** SHA-256 of what the range covers, in lower-case hex. */
export async function digestHex(pdf: Bytes, range: ByteRange): Promise<string> {
  return sha256Hex(join([pdf.slice(0, range[1]), pdf.slice(range[2])]));
}

function isHexadecimal(octet: number): boolean {
  return (octet >= 0x30 && octet <= 0x39) || (octet >= 0x41 && octet <= 0x46) || (octet >= 0x61 && octet <= 0x66);
}
