// Uploading a document: dropped or chosen, with its way shown, and to be stopped. Without script the form does it alone.
import { dropArea, fill } from "../uploads/drop_area";
import { send, show } from "../uploads/send";

takeForm();

function takeForm(chosen?: File): void {
  const form = document.getElementById("upload-form");
  const field = form?.querySelector<HTMLInputElement>("input[type=file]");
  if (!(form instanceof HTMLFormElement) || !field) return;
  if (chosen) fill(field, chosen);
  const area = form.querySelector<HTMLElement>(".kv-drop");
  if (area) dropArea(area, field, () => suggestTitle(form, field));
  field.addEventListener("change", () => suggestTitle(form, field));
  form.addEventListener("submit", (event) => {
    const file = field.files?.item(0);
    if (!file) return;
    event.preventDefault();
    void upload(form, file);
  });
}

/** A file's name is a first title, for whoever has not written one. */
function suggestTitle(form: HTMLFormElement, field: HTMLInputElement): void {
  const title = form.querySelector<HTMLInputElement>("input[name=title]");
  const name = field.files?.item(0)?.name.normalize("NFC") ?? "";
  if (title && title.value.trim() === "") title.value = name.replace(/\.[^.]+$/, "").replaceAll("_", " ").trim();
}

async function upload(form: HTMLFormElement, file: File): Promise<void> {
  const way = new Way(form);
  const sending = send(form, (gone, all) => way.at(gone, all));
  way.begin(() => sending.cancel());
  try {
    const answer = await sending.answer;
    if ("location" in answer) {
      location.assign(answer.location);
      return;
    }
    show(answer.page);
    takeForm(file);
  } catch (error) {
    way.end(error instanceof DOMException ? "cancelled" : "failed");
  }
}

/** What the page says while a file goes: how much of it went, then that it is being prepared. */
class Way {
  readonly #place: HTMLElement | null;
  readonly #bar: HTMLProgressElement | null;
  readonly #words: HTMLElement | null;
  readonly #button: HTMLButtonElement | null;
  readonly #submit: HTMLButtonElement | null;

  constructor(form: HTMLFormElement) {
    this.#place = form.querySelector("[data-way]");
    this.#bar = form.querySelector("[data-way] progress");
    this.#words = form.querySelector("[data-way-words]");
    this.#button = form.querySelector("[data-way-cancel]");
    this.#submit = form.querySelector("button[type=submit]");
  }

  begin(cancel: () => void): void {
    if (this.#place) this.#place.hidden = false;
    if (this.#submit) this.#submit.disabled = true;
    if (this.#button) {
      this.#button.hidden = false;
      this.#button.onclick = cancel;
    }
    this.at(0, 0);
  }

  at(gone: number, all: number): void {
    const isAll = all > 0 && gone >= all;
    if (this.#bar) {
      // Without a value a bar says only that something goes on.
      if (isAll) this.#bar.removeAttribute("value");
      else this.#bar.value = all > 0 ? gone / all : 0;
    }
    // Tenths, so that a screen reader is not told every per cent.
    const tenths = all > 0 ? Math.floor((10 * gone) / all) * 10 : 0;
    this.#say(isAll ? "preparing" : "sending", String(tenths));
  }

  end(why: "cancelled" | "failed"): void {
    this.#say(why, "");
    if (this.#bar) this.#bar.value = 0;
    if (this.#button) this.#button.hidden = true;
    if (this.#submit) this.#submit.disabled = false;
    this.#submit?.focus();
  }

  #say(what: "sending" | "preparing" | "cancelled" | "failed", percent: string): void {
    if (!this.#words) return;
    const words = (this.#words.dataset[what] ?? "").replace("{percent}", percent);
    if (this.#words.textContent !== words) this.#words.textContent = words;
  }
}
