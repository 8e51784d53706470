// The roll of an evacuation as a phone sees it: what the server last told, and the marks made here. Pure; no page.

export const MARKS = ["safe", "missing", "not_inside"] as const;
export type MarkKind = (typeof MARKS)[number];

export interface Mark {
  readonly id: string;
  readonly buildingId: string;
  readonly personId: string;
  readonly mark: MarkKind;
  /** When, by the clock of the phone that made it (ISO 8601 with a zone). */
  readonly at: string;
}

export interface Person {
  readonly id: string;
  readonly name: string;
  /** Name and organisation without marks, for searching. */
  readonly find: string;
  readonly zone: number;
  readonly place: string;
  readonly host: string;
}

export interface Building {
  readonly id: string;
  readonly name: string;
  /** When the roll that is being called began; null while none is. */
  readonly startedAt: string | null;
  readonly zones: readonly { readonly number: number; readonly name: string }[];
  readonly people: readonly Person[];
  readonly marks: readonly Mark[];
}

export interface Sheet {
  readonly madeAt: string;
  readonly buildings: readonly Building[];
}

export interface Line {
  readonly person: Person;
  readonly mark: MarkKind | null;
  /** Made here, and the server has not got it yet. */
  readonly waits: boolean;
}

export interface Wanted {
  readonly text: string;
  /** null: every zone. */
  readonly zone: number | null;
  /** Only those whom nobody has marked. */
  readonly unmarked: boolean;
}

/** Text without marks, in lower case, single-spaced; the same as app/registry/search.py. */
export function fold(text: string): string {
  const bare = text.replace(/[đĐ]/g, "d").normalize("NFD").replace(/\p{M}/gu, "");
  return bare.toLowerCase().trim().split(/\s+/).join(" ");
}

/** The mark that counts of each person: the newest, and among equals the greater id, as the server decides. */
export function counting(marks: Iterable<Mark>): ReadonlyMap<string, Mark> {
  const found = new Map<string, Mark>();
  for (const mark of marks) {
    const known = found.get(mark.personId);
    if (known === undefined || isAfter(mark, known)) found.set(mark.personId, mark);
  }
  return found;
}

function isAfter(one: Mark, other: Mark): boolean {
  const difference = Date.parse(one.at) - Date.parse(other.at);
  return difference === 0 ? one.id > other.id : difference > 0;
}

/** Everybody on the roll of a building: missing and unmarked people first, then by name. `own` are the marks of this phone. */
export function lines(building: Building, own: readonly Mark[], waiting: ReadonlySet<string>): Line[] {
  const mine = own.filter((mark) => mark.buildingId === building.id);
  const counted = counting([...building.marks, ...mine]);
  return building.people
    .map((person) => {
      const mark = counted.get(person.id);
      return { person, mark: mark?.mark ?? null, waits: mark !== undefined && waiting.has(mark.id) };
    })
    .sort((one, other) => urgency(one) - urgency(other) || one.person.find.localeCompare(other.person.find));
}

function urgency(line: Line): number {
  return line.mark === "missing" ? 0 : line.mark === null ? 1 : 2;
}

export function matching(found: readonly Line[], wanted: Wanted): Line[] {
  const text = fold(wanted.text);
  return found.filter(
    (line) =>
      (text === "" || line.person.find.includes(text)) &&
      (wanted.zone === null || line.person.zone === wanted.zone) &&
      (!wanted.unmarked || line.mark === null),
  );
}

export function counts(found: readonly Line[]): Record<MarkKind | "unmarked", number> {
  const counted = { safe: 0, missing: 0, not_inside: 0, unmarked: 0 };
  for (const line of found) counted[line.mark ?? "unmarked"] += 1;
  return counted;
}
