// What the key really signs in a PAdES signature (RFC 5652, 5.3; ETSI EN 319 142-1, 6.3): exactly content type, digest
// of the document and the signer's own certificate. Anything more, and the browser refuses to sign.

import { oid, sequence, type Bytes } from "../browser_keys/der";
import { contentOf, equal, inside, NotDer, readOne, type Element } from "./der_reader";

const SEQUENCE = 0x30;
const SET = 0x31;
const OCTET_STRING = 0x04;
const SHA256_LENGTH = 32;

const CONTENT_TYPE = oid("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST = oid("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE_V2 = oid("1.2.840.113549.1.9.16.2.47");
const DATA = oid("1.2.840.113549.1.7.1");

export interface SignedAttributes {
  readonly documentDigest: Bytes;
  readonly certificateSha256: Bytes;
}

/** Parse the DER SET OF. Throws NotDer unless it holds the three attributes, each once, and nothing else. */
export function parseSignedAttributes(der: Bytes): SignedAttributes {
  const attributes = inside(readOne(der), SET);
  if (attributes.length !== 3) throw new NotDer("not three attributes");
  const contentType = valueOf(attributes, CONTENT_TYPE);
  if (!equal(contentType.encoded, DATA)) throw new NotDer("another content type");
  const documentDigest = contentOf(valueOf(attributes, MESSAGE_DIGEST), OCTET_STRING);
  const certificateSha256 = certificateHash(valueOf(attributes, SIGNING_CERTIFICATE_V2));
  if (documentDigest.length !== SHA256_LENGTH || certificateSha256.length !== SHA256_LENGTH) {
    throw new NotDer("not SHA-256");
  }
  return { documentDigest, certificateSha256 };
}

function valueOf(attributes: readonly Element[], type: Bytes): Element {
  const found = attributes.filter((attribute) => {
    const [name] = inside(attribute, SEQUENCE);
    return name !== undefined && equal(name.encoded, type);
  });
  const [one, ...others] = found;
  if (one === undefined || others.length > 0) throw new NotDer("an attribute is missing or stands twice");
  const [, values, ...rest] = inside(one, SEQUENCE);
  const [value, ...more] = inside(values, SET);
  if (value === undefined || more.length > 0 || rest.length > 0) throw new NotDer("not one value");
  return value;
}

/** SigningCertificateV2 with one ESSCertIDv2 of the default hash, SHA-256, and nothing beside it (RFC 5035, 3). */
function certificateHash(value: Element): Bytes {
  const [list, ...policies] = inside(value, SEQUENCE);
  const [identifier, ...others] = inside(list, SEQUENCE);
  const [hash, ...more] = inside(identifier, SEQUENCE);
  if (policies.length + others.length + more.length > 0) throw new NotDer("more than one certificate hash");
  const octets = contentOf(hash, OCTET_STRING);
  // Built again from what was read: there is one way to write it.
  const again = sequence(sequence(sequence(Uint8Array.from([OCTET_STRING, octets.length, ...octets]))));
  if (!equal(again, value.encoded)) throw new NotDer("not in the shortest form");
  return octets;
}

/** The SubjectPublicKeyInfo of a certificate (RFC 5280, 4.1). */
export function publicKeyOf(certificateDer: Bytes): Bytes {
  const [tbs] = inside(readOne(certificateDer), SEQUENCE);
  const fields = inside(tbs, SEQUENCE).filter((field) => field.tag !== 0xa0);
  // serial, signature, issuer, validity, subject, then the key.
  const spki = fields[5];
  if (spki === undefined || spki.tag !== SEQUENCE) throw new NotDer("no public key");
  return spki.encoded;
}
