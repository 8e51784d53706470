// The texts of the page, handed over by the template in the reader's language.

import type { Outcome, Reason } from "../passes/decision";

export interface Words {
  readonly reasons: Readonly<Record<Reason, { readonly large: string; readonly small: string }>>;
  readonly outcomes: Readonly<Record<Outcome, string>>;
  readonly unclear: { readonly large: string; readonly small: string };
  readonly mismatch: { readonly large: string; readonly small: string };
  readonly signed_by: string;
  readonly camera: Readonly<Record<"refused" | "missing", string>>;
  readonly lists: Readonly<Record<"fresh" | "stale" | "none" | "changed_key", string>>;
  readonly not_enrolled: string;
  readonly no_key: string;
  readonly no_portrait: string;
  readonly portrait_of: string;
  readonly waiting: string;
  readonly leased: string;
  readonly ended: string;
  readonly void: string;
  readonly notes: { readonly watch: string; readonly help: string; readonly honour: string };
}

export function readWords(): Words {
  return JSON.parse(document.getElementById("gate-words")?.textContent ?? "{}") as Words;
}

/** Put facts into a sentence: `{time}` is replaced by the fact of that name. */
export function fill(sentence: string, facts: Readonly<Record<string, string>>): string {
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => facts[name] ?? "");
}
