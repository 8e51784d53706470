// The page of the roll: lines made of the template's own row, so that every word comes from there.

import { type Building, counts, type Line, MARKS, type MarkKind, matching, type Wanted } from "./roll";

export interface Words {
  readonly marks: Readonly<Record<MarkKind | "unmarked", string>>;
  readonly online: string;
  readonly offline: string;
  readonly nothing_kept: string;
  readonly signed_out: string;
  readonly not_warden: string;
  readonly waiting: string;
  readonly started: string;
  readonly not_started: string;
  readonly shown: string;
  readonly begin: string;
}

export interface Acts {
  onMark(personId: string, mark: MarkKind): void;
  onBuilding(id: string): void;
  onWanted(): void;
}

const MOST_SHOWN = 200;

export function fill(sentence: string, facts: Readonly<Record<string, string>>): string {
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => facts[name] ?? "");
}

function find<Kind extends HTMLElement>(selector: string, from: ParentNode = document): Kind {
  const found = from.querySelector<Kind>(selector);
  if (found === null) throw new TypeError(`no ${selector}`);
  return found;
}

export class Screen {
  private readonly roll = find("#roll");
  private readonly list = find("#roll-people");
  private readonly row = find<HTMLTemplateElement>("#roll-row");
  private readonly building = find<HTMLSelectElement>("#roll-building");
  private readonly zone = find<HTMLSelectElement>("#roll-zone");
  private readonly text = find<HTMLInputElement>("#roll-text");
  private readonly unmarked = find<HTMLInputElement>("#roll-unmarked");

  constructor(
    private readonly words: Words,
    private readonly acts: Acts,
  ) {
    this.text.addEventListener("input", () => acts.onWanted());
    this.zone.addEventListener("change", () => acts.onWanted());
    this.unmarked.addEventListener("change", () => acts.onWanted());
    this.building.addEventListener("change", () => acts.onBuilding(this.building.value));
  }

  /** Say how the phone stands to the server; `grave` when somebody must do something about it. */
  status(sentence: string, grave: boolean): void {
    const line = find("#roll-status");
    if (line.textContent !== sentence) line.textContent = sentence;
    line.classList.toggle("kv-roll__status--grave", grave);
  }

  /** Show the way to sign in, and hide the roll if there is none to show. */
  signIn(needed: boolean, hasSheet: boolean): void {
    find("#roll-sign-in").hidden = !needed;
    this.roll.hidden = !hasSheet;
  }

  show(buildings: readonly Building[], chosen: Building, all: readonly Line[], time: (at: string) => string): void {
    choices(this.building, buildings.map((one) => [one.id, one.name]), chosen.id);
    find("#roll-building-group").hidden = buildings.length < 2;
    const zones = chosen.zones.map((one): [string, string] => [String(one.number), one.name]);
    choices(this.zone, [["", this.zone.dataset["all"] ?? ""], ...zones], this.zone.value);
    const begun = chosen.startedAt;
    find("#roll-state").textContent =
      begun === null ? this.words.not_started : fill(this.words.started, { time: time(begun) });
    find("#roll").classList.toggle("kv-roll--running", begun !== null);
    for (const [id, name] of [["#roll-start", "start"], ["#roll-summary", "summary"]] as const) {
      const link = find<HTMLAnchorElement>(id);
      link.hidden = (name === "start") !== (begun === null);
      link.href = `/reception/${encodeURIComponent(chosen.id)}/evacuation`;
    }
    const counted = counts(all);
    for (const kind of [...MARKS, "unmarked"] as const) find(`[data-count=${kind}]`).textContent = String(counted[kind]);
    const found = matching(all, this.wanted());
    find("#roll-shown").textContent = fill(this.words.shown, { shown: String(found.length), all: String(all.length) });
    this.fillList(found.slice(0, MOST_SHOWN), new Map(chosen.zones.map((one) => [one.number, one.name])));
  }

  private wanted(): Wanted {
    const zone = this.zone.value === "" ? null : Number(this.zone.value);
    return { text: this.text.value, zone, unmarked: this.unmarked.checked };
  }

  private fillList(found: readonly Line[], zones: ReadonlyMap<number, string>): void {
    const focused = document.activeElement?.getAttribute("data-of");
    this.list.replaceChildren(...found.map((line) => this.line(line, zones)));
    if (focused) this.list.querySelector<HTMLElement>(`[data-of="${CSS.escape(focused)}"]`)?.focus();
  }

  private line(line: Line, zones: ReadonlyMap<number, string>): Node {
    const made = this.row.content.cloneNode(true) as DocumentFragment;
    const { id, name, place, host, zone } = line.person;
    find("[data-name]", made).textContent = name;
    find("[data-where]", made).textContent = [zones.get(zone) ?? String(zone), place, host].filter(Boolean).join(" · ");
    const state = find("[data-state]", made);
    state.textContent = this.words.marks[line.mark ?? "unmarked"];
    state.className = `kv-roll__state kv-roll__state--${line.mark ?? "unmarked"}`;
    find("[data-waits]", made).hidden = !line.waits;
    for (const button of made.querySelectorAll<HTMLButtonElement>("button")) {
      const mark = MARKS.find((one) => one === button.dataset["mark"]);
      if (mark === undefined) continue;
      button.dataset["of"] = `${id} ${mark}`;
      button.setAttribute("aria-pressed", String(line.mark === mark));
      find("[data-whom]", button).textContent = name;
      button.addEventListener("click", () => this.acts.onMark(id, mark));
    }
    return made;
  }
}

function choices(select: HTMLSelectElement, wanted: readonly (readonly [string, string])[], value: string): void {
  const made = wanted.map(([own, word]) => new Option(word, own, false, own === value));
  const same = made.length === select.options.length && made.every((one, at) => one.value === select.options[at]?.value);
  if (!same) select.replaceChildren(...made);
}
