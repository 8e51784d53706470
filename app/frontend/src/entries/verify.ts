// The check of a PDF without leaving the page, so that its file is still at hand for the report under the city's seal.
// Without this script the field and the button do the same, and the report asks for the file once more.
import { Button, ErrorSummary, createAll } from "govuk-frontend";

takeFiles();

/** Make the drop area of the page work. */
function takeFiles(): void {
  const form = document.getElementById("verify-form");
  const field = form?.querySelector<HTMLInputElement>("input[type=file]");
  const invitation = document.getElementById("verify-invitation");
  if (!(form instanceof HTMLFormElement) || !field || !invitation) return;
  invitation.hidden = false;
  const over = (event: DragEvent): void => {
    event.preventDefault();
    form.classList.add("kv-drop--over");
  };
  form.addEventListener("dragenter", over);
  form.addEventListener("dragover", over);
  form.addEventListener("dragleave", () => form.classList.remove("kv-drop--over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("kv-drop--over");
    const files = event.dataTransfer?.files;
    if (files === undefined || files.length !== 1) return;
    field.files = files;
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    const file = field.files?.item(0);
    if (!file) return;
    event.preventDefault();
    void check(form, file);
  });
}

/** Send the file and put the answer in the place of the page; what goes wrong is left to the browser's own way. */
async function check(form: HTMLFormElement, file: File): Promise<void> {
  const busy = document.getElementById("verify-busy");
  if (busy) busy.hidden = false;
  const main = await answer(form);
  const here = document.querySelector("main");
  if (main === undefined || !here) {
    form.submit();
    return;
  }
  here.replaceWith(main);
  createAll(Button, { preventDoubleClick: true }, main);
  createAll(ErrorSummary, undefined, main);
  takeFiles();
  keepForReport(file);
  const verdict = main.querySelector<HTMLElement>(".kv-verdict");
  if (!verdict) return;
  verdict.tabIndex = -1;
  verdict.focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

async function answer(form: HTMLFormElement): Promise<HTMLElement | undefined> {
  try {
    const body = new FormData(form);
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const main = page.querySelector("main");
    if (!main) return undefined;
    document.title = page.title;
    return document.adoptNode(main);
  } catch {
    return undefined;
  }
}

/** Put the file that was checked into the form of the report, and do not ask for it again. */
function keepForReport(file: File): void {
  const wrapper = document.getElementById("report-file");
  const field = wrapper?.querySelector<HTMLInputElement>("input[type=file]");
  if (!wrapper || !field) return;
  try {
    const chosen = new DataTransfer();
    chosen.items.add(file);
    field.files = chosen.files;
  } catch {
    // An old browser cannot fill in a file: it asks for it.
    return;
  }
  wrapper.hidden = true;
}
