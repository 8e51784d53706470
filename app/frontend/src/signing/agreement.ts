// Whether what was announced, what is shown and what would be signed are one and the same thing (what you see is what
// you sign). Nothing is signed unless every line of this holds.

import type { Bytes } from "../browser_keys/der";
import { sha256Hex } from "../browser_keys/store";
import type { PageCertificate, Prepared } from "./answers";
import { digestHex, isSound } from "./byte_range";
import { NotDer } from "./der_reader";
import { parseSignedAttributes, publicKeyOf, type SignedAttributes } from "./signed_attributes";

export class Disagreement extends Error {}

/** Check the file against the attributes and the certificate. Throws Disagreement; returns the digest in hex. */
export async function agree(pdf: Bytes, prepared: Prepared, certificate: PageCertificate): Promise<string> {
  if (!isSound(pdf, prepared.byteRange)) throw new Disagreement("the signature would not cover the whole file");
  const digest = await digestHex(pdf, prepared.byteRange);
  const attributes = parsed(prepared.signedAttributes);
  if (hex(attributes.documentDigest) !== digest) throw new Disagreement("another document's digest");
  if (prepared.documentDigest !== digest) throw new Disagreement("another digest was announced");
  if (hex(attributes.certificateSha256) !== (await sha256Hex(certificate.der))) {
    throw new Disagreement("another certificate");
  }
  return digest;
}

/** The name of the key that a certificate is for, as this browser names its keys. */
export async function keyIdOf(certificate: PageCertificate): Promise<string> {
  return sha256Hex(publicKeyOf(certificate.der));
}

/** The beginning of a digest in groups of four, short enough to compare by eye with another screen. */
export function shortDigest(digest: string): string {
  return (digest.slice(0, 24).toUpperCase().match(/.{4}/g) ?? []).join(" ");
}

function parsed(der: Bytes): SignedAttributes {
  try {
    return parseSignedAttributes(der);
  } catch (error) {
    if (error instanceof NotDer) throw new Disagreement(error.message, { cause: error });
    throw error;
  }
}

function hex(octets: Bytes): string {
  return [...octets].map((octet) => octet.toString(16).padStart(2, "0")).join("");
}
