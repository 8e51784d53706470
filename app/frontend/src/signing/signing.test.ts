import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { element, join, oid, sequence, set, type Bytes } from "../browser_keys/der";
import { sha256Hex } from "../browser_keys/store";
import { agree, Disagreement, shortDigest } from "./agreement";
import { readPrepared, readProposal, Unreadable } from "./answers";
import { isSound, type ByteRange } from "./byte_range";
import { NotDer, readOne } from "./der_reader";
import { boxOf, centredOn, fill, fits, measuredFrom } from "./placement";
import { parseSignedAttributes, publicKeyOf } from "./signed_attributes";

const text = (value: string): Bytes => new TextEncoder().encode(value);
const fromHex = (hex: string): Bytes => Uint8Array.from((hex.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
const octets = (content: Bytes): Bytes => element(0x04, content);
const attribute = (type: string, ...values: Bytes[]): Bytes => sequence(oid(type), set(...values));

const contentType = attribute("1.2.840.113549.1.9.3", oid("1.2.840.113549.1.7.1"));
const digestOf = (hash: Bytes): Bytes => attribute("1.2.840.113549.1.9.4", octets(hash));
const certificateOf = (hash: Bytes): Bytes =>
  attribute("1.2.840.113549.1.9.16.2.47", sequence(sequence(sequence(octets(hash)))));
const thirtyTwo = (value: number): Bytes => new Uint8Array(32).fill(value);

describe("strict DER", () => {
  it.each([
    ["a length in a longer form", [0x04, 0x81, 0x01, 0x00]],
    ["an indefinite length", [0x30, 0x80, 0x00, 0x00]],
    ["bytes behind it", [0x04, 0x00, 0x00, 0x00]],
    ["too few bytes", [0x04, 0x02, 0x00]],
    ["a tag of several octets", [0x1f, 0x81, 0x01, 0x00]],
  ])("refuses %s", (_name, bytes) => {
    expect(() => readOne(Uint8Array.from(bytes))).toThrow(NotDer);
  });
});

describe("signed attributes", () => {
  const whole = set(contentType, digestOf(thirtyTwo(1)), certificateOf(thirtyTwo(2)));

  it("are read when there are the three", () => {
    expect(parseSignedAttributes(whole)).toEqual({ documentDigest: thirtyTwo(1), certificateSha256: thirtyTwo(2) });
  });

  it.each<[string, Bytes]>([
    ["one is missing", set(contentType, digestOf(thirtyTwo(1)))],
    ["a fourth stands beside them", set(contentType, digestOf(thirtyTwo(1)), certificateOf(thirtyTwo(2)), attribute("1.2.840.113549.1.9.5", octets(thirtyTwo(3))))],
    ["one stands twice in place of another", set(contentType, digestOf(thirtyTwo(1)), digestOf(thirtyTwo(4)))],
    ["the digest has two values", set(contentType, attribute("1.2.840.113549.1.9.4", octets(thirtyTwo(1)), octets(thirtyTwo(2))), certificateOf(thirtyTwo(2)))],
    ["the digest is short", set(contentType, digestOf(new Uint8Array(20)), certificateOf(thirtyTwo(2)))],
    ["it is the implicit form of the file", element(0xa0, contentType, digestOf(thirtyTwo(1)), certificateOf(thirtyTwo(2)))],
    ["the content is not data", set(attribute("1.2.840.113549.1.9.3", oid("1.2.840.113549.1.7.2")), digestOf(thirtyTwo(1)), certificateOf(thirtyTwo(2)))],
    ["two certificates are named", set(contentType, digestOf(thirtyTwo(1)), attribute("1.2.840.113549.1.9.16.2.47", sequence(sequence(sequence(octets(thirtyTwo(2))), sequence(octets(thirtyTwo(3)))))))],
  ])("are refused when %s", (_name, der) => {
    expect(() => parseSignedAttributes(der)).toThrow(NotDer);
  });
});

describe("the gap of a signature", () => {
  const pdf = text("head<00AAff>tail");
  const range: ByteRange = [0, 4, 12, 4];

  it("is sound when only one hexadecimal string is left out", () => {
    expect(isSound(pdf, range)).toBe(true);
  });

  it.each<[string, string, ByteRange]>([
    ["bytes follow what is covered", "head<00AAff>tailX", [0, 4, 12, 4]],
    ["it begins after the first byte", "head<00AAff>tail", [1, 4, 12, 4]],
    ["white space hides in it", "head<00AA f>tail", [0, 4, 12, 4]],
    ["it is wider than the string", "head<00AAff>tail", [0, 3, 12, 4]],
    ["nothing follows", "head<00AAff>", [0, 4, 12, 0]],
    ["a second string is in it", "head<00><ff>tail", [0, 4, 12, 4]],
    ["numbers are negative", "head<00AAff>tail", [0, -4, 12, 4]],
    ["numbers are fractions", "head<00AAff>tail", [0, 4.5, 12, 4]],
  ])("is not sound when %s", (_name, content, range) => {
    expect(isSound(text(content), range)).toBe(false);
  });
});

describe("agreement", () => {
  const pdf = text("head<00AAff>tail");
  const certificate = { sha256: "", der: text("certificate"), validUntil: "" };

  async function prepared(change: { digest?: Bytes; certificate?: Bytes; announced?: string } = {}) {
    const digest = await sha256Hex(text("headtail"));
    const named = change.certificate ?? fromHex(await sha256Hex(certificate.der));
    return {
      preparedUrl: "/a",
      completeUrl: "/b",
      byteRange: [0, 4, 12, 4] as const,
      page: 1,
      ruler: [],
      documentDigest: change.announced ?? digest,
      signedAttributes: set(contentType, digestOf(change.digest ?? fromHex(digest)), certificateOf(named)),
    };
  }

  it("gives the digest of the very bytes", async () => {
    expect(await agree(pdf, await prepared(), certificate)).toBe(await sha256Hex(text("headtail")));
  });

  it.each<[string, Parameters<typeof prepared>[0]]>([
    ["the attributes name another document", { digest: thirtyTwo(9) }],
    ["the attributes name another certificate", { certificate: thirtyTwo(9) }],
    ["another digest was announced", { announced: "00".repeat(32) }],
  ])("fails when %s", async (_name, change) => {
    await expect(agree(pdf, await prepared(change), certificate)).rejects.toThrow(Disagreement);
  });

  it("fails when one byte of the shown file is another", async () => {
    await expect(agree(text("Head<00AAff>tail"), await prepared(), certificate)).rejects.toThrow(Disagreement);
  });

  it("fails when the attributes are not DER", async () => {
    const broken = { ...(await prepared()), signedAttributes: text("x") };
    await expect(agree(pdf, broken, certificate)).rejects.toThrow(Disagreement);
  });
});

describe("the place of the mark", () => {
  const page = { widthMm: 210, heightMm: 297 };
  const mark = { widthMm: 60, heightMm: 20 };

  it("is counted inwards from its corner", () => {
    expect(boxOf({ corner: "bottom_right", xMm: 20, yMm: 40 }, mark, page)).toMatchObject({ leftMm: 130, topMm: 237 });
    expect(boxOf({ corner: "top_left", xMm: 20, yMm: 40 }, mark, page)).toMatchObject({ leftMm: 20, topMm: 40 });
  });

  it("stays on the page wherever one clicks", () => {
    for (const [left, top] of [[0, 0], [210, 297], [105, 150]] as const) {
      for (const corner of ["top_left", "bottom_right"] as const) {
        expect(fits(boxOf(centredOn(left, top, corner, mark, page), mark, page), page)).toBe(true);
      }
    }
  });

  it("stays where it is when told from another corner", () => {
    const there = { corner: "bottom_right", xMm: 20, yMm: 40 } as const;
    expect(boxOf(measuredFrom("top_left", there, mark, page), mark, page)).toEqual(boxOf(there, mark, page));
  });

  it("does not fit when it hangs over the edge", () => {
    expect(fits(boxOf({ corner: "top_left", xMm: 151, yMm: 0 }, mark, page), page)).toBe(false);
  });
});

describe("words and answers", () => {
  it("fills the names of a sentence and leaves unknown ones", () => {
    expect(fill("Trang {page}, {x} mm, {other}", { page: 3, x: 110 })).toBe("Trang 3, 110 mm, {other}");
  });

  it("shows a digest in groups", () => {
    expect(shortDigest("ab".repeat(32))).toBe("ABAB ABAB ABAB ABAB ABAB ABAB");
  });

  it("reads the place that is proposed, and that there is none", () => {
    const place = { page: 2, corner: "bottom_left", xMm: 117, yMm: 90 };
    expect(readProposal({ place })).toEqual(place);
    expect(readProposal({ place: null })).toBeUndefined();
    expect(() => readProposal({ place: { ...place, corner: "middle" } })).toThrow(Unreadable);
  });

  it.each([{}, { byteRange: [0, 1, 2] }, { byteRange: [0, 1, 2, 3], preparedUrl: "//elsewhere" }, null, []])(
    "refuses an answer of another form: %j",
    (value) => {
      expect(() => readPrepared(value)).toThrow(Unreadable);
    },
  );
});

describe("a certificate made by OpenSSL", () => {
  it("gives the public key that OpenSSL reads from it", () => {
    const pem = execFileSync("openssl", [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=x", "-days", "1",
    ], { stdio: ["ignore", "pipe", "ignore"] }).toString();
    const certificate = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
    const key = execFileSync("openssl", ["x509", "-pubkey", "-noout"], { input: pem }).toString();
    const spki = Buffer.from(key.replace(/-----[^-]+-----|\s/g, ""), "base64");
    expect(publicKeyOf(join([Uint8Array.from(certificate)]))).toEqual(Uint8Array.from(spki));
  });
});
