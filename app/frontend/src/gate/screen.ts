// The guard's screen: the camera, and over it the verdict in colour, icon and word.

import type { Outcome, Reason, Verdict } from "../passes/decision";
import { FLAGS, type RosterRecord } from "../passes/roster";
import { FACE } from "../passes/scan_event";
import type { Answer } from "./server";
import { fill, type Words } from "./words";

const CITY_TIME = new Intl.DateTimeFormat("vi", { timeZone: "Asia/Ho_Chi_Minh", hour: "2-digit", minute: "2-digit" });
const CITY_DAY = new Intl.DateTimeFormat("vi", { timeZone: "Asia/Ho_Chi_Minh", day: "2-digit", month: "2-digit" });

export function clockTime(moment: Date): string {
  return CITY_TIME.format(moment);
}

/** What the guard's eye says of a portrait. */
export type Look = keyof typeof FACE;

export interface Acts {
  onFace(look: Look): void;
  onNext(): void;
}

export class Screen {
  private readonly root = part<HTMLElement>("[data-state]");
  private readonly panel = part<HTMLElement>("[data-verdict]");
  private readonly portrait = part<HTMLImageElement>("[data-portrait]");
  private readonly unclearButton = part<HTMLButtonElement>("[data-act=unclear]");
  private readonly faceButtons = [
    part<HTMLButtonElement>("[data-act=match]"),
    part<HTMLButtonElement>("[data-act=mismatch]"),
    this.unclearButton,
  ];
  private pictureUrl = "";
  private readonly nextButton = part<HTMLButtonElement>("[data-act=next]");

  constructor(
    private readonly words: Words,
    acts: Acts,
  ) {
    for (const look of Object.keys(FACE) as Look[]) {
      part(`[data-act=${look}]`).addEventListener("click", () => acts.onFace(look));
    }
    this.nextButton.addEventListener("click", () => acts.onNext());
  }

  /** What the tablet decided by itself; the guest stands on its own roster. */
  showVerdict(verdict: Verdict, record: RosterRecord | null = null): void {
    const facts: Record<string, string> = { place: verdict.place ?? "" };
    if (verdict.at !== null) {
      facts["time"] = clockTime(verdict.at);
      facts["day"] = CITY_DAY.format(verdict.at);
    }
    this.show(verdict.outcome, verdict.reason, facts);
    if (record === null) return;
    this.showNotes(record);
    this.showRecord(record, verdict.outcome);
  }

  showAnswer(answer: Answer, record: RosterRecord | null = null): void {
    this.show(answer.outcome, answer.reason, answer.facts);
    if (record !== null) this.showNotes(record);
    if (answer.guest === null) return;
    if (answer.portraitUrl === null && record !== null && answer.outcome !== "refuse") {
      this.showRecord(record, answer.outcome);
      return;
    }
    const { name, organisation, meeting } = answer.guest;
    set("[data-name]", name);
    const agency = answer.facts["agency"];
    const signed = agency ? fill(this.words.signed_by, { agency }) : "";
    set("[data-who]", [organisation, meeting, signed].filter((one) => one !== "").join(" · "));
    if (answer.portraitUrl !== null) {
      this.portrait.src = answer.portraitUrl;
      this.portrait.alt = fill(this.words.portrait_of, { name });
      this.portrait.hidden = false;
    }
    this.askFace(answer.outcome === "admit" && answer.portraitUrl !== null);
  }

  /** What the guard must know beside the verdict, for their eyes alone; the verdict stays as it is. */
  private showNotes(record: RosterRecord): void {
    const { watch, help, honour } = this.words.notes;
    const notes = [
      [FLAGS.watch, watch],
      [FLAGS.help, help],
      [FLAGS.guestOfHonour, honour],
    ] as const;
    const told = notes.filter(([flag]) => (record.flags & flag) !== 0).map(([, words]) => words);
    set("[data-note]", told.join(" "));
    part<HTMLElement>("[data-note]").hidden = told.length === 0;
  }

  private showRecord(record: RosterRecord, outcome: Outcome): void {
    set("[data-name]", [record.title, record.name].filter((one) => one !== "").join(" "));
    const facts = [record.organisation, record.meeting, record.room, record.seat, record.needs];
    set("[data-who]", facts.filter((one) => one !== "").join(" · "));
    if (record.portrait.length === 0) return;
    if (this.pictureUrl !== "") URL.revokeObjectURL(this.pictureUrl);
    this.pictureUrl = URL.createObjectURL(new Blob([record.portrait], { type: "image/webp" }));
    this.portrait.src = this.pictureUrl;
    this.portrait.alt = fill(this.words.portrait_of, { name: record.name });
    this.portrait.hidden = false;
    this.askFace(outcome === "admit");
  }

  // Whoever sees a portrait says whether it is the person, which also leads on.
  private askFace(asks: boolean): void {
    for (const button of this.faceButtons) button.hidden = !asks;
    this.nextButton.hidden = asks;
  }

  /** The guard cannot tell: the identity card does, and then there are two answers. */
  showUnclear(): void {
    this.root.dataset["state"] = "look_again";
    set("[data-outcome]", this.words.outcomes.look_again);
    set("[data-large]", this.words.unclear.large);
    set("[data-small]", this.words.unclear.small);
    this.unclearButton.hidden = true;
  }

  /** The guard said that the face is another's: the admission stands in the log, the person goes to the desk. */
  showMismatch(): void {
    this.root.dataset["state"] = "refuse";
    set("[data-outcome]", this.words.outcomes.refuse);
    set("[data-large]", this.words.mismatch.large);
    set("[data-small]", this.words.mismatch.small);
    for (const button of this.faceButtons) button.hidden = true;
    this.nextButton.hidden = false;
  }

  close(): void {
    this.panel.hidden = true;
    this.root.dataset["state"] = "ready";
    this.portrait.hidden = true;
    this.portrait.removeAttribute("src");
  }

  hint(text: string): void {
    set("[data-hint]", text);
  }

  lists(text: string, stale: boolean): void {
    const line = part<HTMLElement>("[data-lists]");
    line.textContent = text;
    line.classList.toggle("kv-gate__lists--stale", stale);
  }

  private show(outcome: Outcome, reason: Reason | string, facts: Readonly<Record<string, string>>): void {
    const sentence = this.words.reasons[reason as Reason];
    this.root.dataset["state"] = outcome;
    set("[data-outcome]", this.words.outcomes[outcome]);
    set("[data-large]", fill(sentence.large, facts));
    set("[data-small]", fill(sentence.small, facts));
    set("[data-name]", "");
    set("[data-who]", "");
    part<HTMLElement>("[data-note]").hidden = true;
    this.portrait.hidden = true;
    for (const button of this.faceButtons) button.hidden = true;
    this.nextButton.hidden = false;
    this.panel.hidden = false;
    this.panel.focus();
  }
}

function part<E extends Element>(selector: string): E {
  const found = document.querySelector<E>(selector);
  if (found === null) throw new Error(`the page has no ${selector}`);
  return found;
}

function set(selector: string, text: string): void {
  part<HTMLElement>(selector).textContent = text;
}
