// What the old key signs to vouch for the new one; pki/renewal.py checks the same.
import { type Bytes, join } from "./der";

const CONTEXT = new TextEncoder().encode("Ky Vao: renewal of a certificate\u0000");

/** The context, then the whole new request. No signed attributes of a document begin with these words. */
export function renewalContent(csr: Bytes): Bytes {
  return join([CONTEXT, csr]);
}
