// Why something scanned is not accepted as a pass; the words are those of pki/passes/faults.py.

export type PassFault =
  | "not_ours"
  | "malformed"
  | "unknown_key"
  | "bad_signature"
  | "key_not_current"
  | "too_long_validity"
  | "rollback";

export class PassRejected extends Error {
  constructor(readonly fault: PassFault) {
    super(fault);
  }
}
