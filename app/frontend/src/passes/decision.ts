// Whether a pass opens this gate now; the same rule as pki/passes/decision.py, held to it by shared cases.

import type { PassClaims } from "./claims";
import type { PassFault } from "./faults";
import type { PassStatus, Signer } from "./lists";

export type Outcome = "admit" | "refuse" | "look_again";

export type Reason =
  | "admitted"
  | "already_admitted"
  | "not_ours"
  | "forged"
  | "unknown_key"
  | "agency_key_ended"
  | "withdrawn"
  | "suspended"
  | "changed"
  | "wrong_building"
  | "wrong_zone"
  | "wrong_day"
  | "too_early"
  | "too_late"
  | "stale_lists"
  | "no_network"
  | "no_lease"
  | "leased_elsewhere"
  | "admitted_unconfirmed"
  | "readmitted"
  | "checked_out"
  | "old_code";

export interface Verdict {
  readonly outcome: Outcome;
  readonly reason: Reason;
  readonly at: Date | null;
  readonly place: string | null;
}

export interface Facts {
  readonly now: Date;
  readonly place: { readonly building: string; readonly zone: number };
  readonly status: PassStatus;
  /** The earlier nextUpdate of the two lists. */
  readonly listsUntil: Date;
  /** Code of the building the meeting is in; null where it is not known. */
  readonly meetingBuilding: string | null;
  /** An admission already made with the same pass and slot. */
  readonly earlier: { readonly at: Date; readonly place: string } | null;
}

const GRACE_MS = 120_000;
const CITY_DAY = new Intl.DateTimeFormat("en-CA", {
  timeZone: "Asia/Ho_Chi_Minh",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
});

export function decide(claims: PassClaims, signer: Signer, facts: Facts): Verdict {
  const { now, place, status, earlier, meetingBuilding } = facts;
  if (status !== "valid") return verdict("refuse", status);
  const elsewhere = meetingBuilding !== null && meetingBuilding !== place.building;
  if (elsewhere || (signer.buildings.length > 0 && !signer.buildings.includes(place.building))) {
    return verdict("refuse", "wrong_building", null, meetingBuilding);
  }
  if (place.zone !== 0 && (claims.zones & signer.zones & place.zone) === 0) return verdict("refuse", "wrong_zone");
  const untimely = findUntimely(claims, now);
  if (untimely !== null) return untimely;
  if (earlier !== null) return verdict("refuse", "already_admitted", earlier.at, earlier.place);
  if (now > facts.listsUntil) return verdict("look_again", "stale_lists", facts.listsUntil);
  return verdict("admit", "admitted");
}

/** What the guard is told about something that is no pass, or no good one. */
export function refuseFault(fault: PassFault): Verdict {
  const reasons: Record<PassFault, Reason> = {
    not_ours: "not_ours",
    malformed: "forged",
    unknown_key: "unknown_key",
    bad_signature: "forged",
    key_not_current: "agency_key_ended",
    too_long_validity: "forged",
    rollback: "stale_lists",
  };
  return verdict("refuse", reasons[fault]);
}

export function verdict(outcome: Outcome, reason: Reason, at: Date | null = null, place: string | null = null): Verdict {
  return { outcome, reason, at, place };
}

function findUntimely(claims: PassClaims, now: Date): Verdict | null {
  const time = now.getTime();
  const from = claims.notBefore.getTime();
  const until = claims.notAfter.getTime();
  if (time >= from - GRACE_MS && time <= until + GRACE_MS) return null;
  const today = CITY_DAY.format(now);
  if (today < CITY_DAY.format(claims.notBefore) || today > CITY_DAY.format(claims.notAfter)) {
    return verdict("refuse", "wrong_day", claims.notBefore);
  }
  return time < from ? verdict("refuse", "too_early", claims.notBefore) : verdict("refuse", "too_late", claims.notAfter);
}
