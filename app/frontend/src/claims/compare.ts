// Whether a file that somebody holds is the document of a claim. The file never leaves the browser.

import type { Bytes } from "../passes/cbor";
import { toHex, type DocumentClaim } from "./claim";

export type Match =
  /** Byte for byte the file that the agency issued, as the server told us. */
  | "issued"
  /** It begins with exactly what the head signed; what stands behind it must be checked with the signatures. */
  | "signed_part"
  /** Something else: another document, a scan, or a changed copy. */
  | "different";

export async function compare(file: Blob, claim: DocumentClaim, issuedSha256: string | null): Promise<Match> {
  if (issuedSha256 !== null && (await digestOf(file)) === issuedSha256) return "issued";
  if (file.size < claim.size) return "different";
  return (await digestOf(file.slice(0, claim.size))) === claim.digest ? "signed_part" : "different";
}

async function digestOf(part: Blob): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await part.arrayBuffer()));
  return toHex(digest as Bytes);
}
