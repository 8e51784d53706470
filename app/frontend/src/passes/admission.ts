// Whether this gate may admit now, the verdict and the right to it; the same rule as pki/passes/admission.py.

import type { PassClaims } from "./claims";
import { decide, verdict, type Facts, type Verdict } from "./decision";
import type { LeaseList, Policy } from "./lease";
import type { Signer } from "./lists";

/** With a lease, lists this much too old still serve. */
export const LEASED_WITH_OLD_LISTS_MS = 24 * 3600_000;
const LENIENT_FLAG = 4;
const ROTATING_FLAG = 8;

export interface AdmissionFacts extends Omit<Facts, "earlier"> {
  /** An entry with the same pass and slot that this tablet knows of. */
  readonly spent: Facts["earlier"];
  /** The list of this tablet in this boot; null where there is none. */
  readonly lease: LeaseList | null;
  /** The meeting's policy; null takes it from the pass. */
  readonly policy: Policy | null;
  /** Whether the server decides: then no lease is asked for. */
  readonly online: boolean;
  /** Whether a code of this moment was shown with the pass (`rotating.isFresh`). */
  readonly isFresh: boolean;
}

/** Whoever shows "admit" to a guard must have written the entry down before. */
export function admit(claims: PassClaims, signer: Signer, facts: AdmissionFacts): Verdict {
  const { now, place, lease } = facts;
  const found = decide(claims, signer, { ...facts, earlier: place.zone !== 0 ? null : facts.spent });
  if (found.outcome === "refuse") return found;
  // A picture of the code, or a letter: somebody has to look at who brings it.
  if (isRotating(claims) && !facts.isFresh) return verdict("look_again", "old_code");
  // A door inside the building admits nobody to the meeting: there is no right to use up.
  if (facts.online || place.zone !== 0) return found;
  const leased = lease?.holds(claims.statusIndex, claims.slot, now) ?? false;
  if (found.outcome === "look_again") {
    const covered = leased && now.getTime() <= facts.listsUntil.getTime() + LEASED_WITH_OLD_LISTS_MS;
    return covered ? verdict("admit", "admitted") : found;
  }
  if (leased) return found;
  if ((facts.policy ?? policyOf(claims)) === "lenient") return verdict("admit", "admitted_unconfirmed");
  return verdict("look_again", "no_lease");
}

/** The policy that the pass itself carries. */
export function policyOf(claims: PassClaims): Policy {
  return (claims.flags & LENIENT_FLAG) !== 0 ? "lenient" : "strict";
}

/** Whether the pass opens a gate only with a code of this moment. */
export function isRotating(claims: PassClaims): boolean {
  return (claims.flags & ROTATING_FLAG) !== 0;
}
