// The check of a PDF without leaving the page, so that its file is still at hand for the report under the city's seal.
// Without this script the field and the button do the same, and the report asks for the file once more.
import { dropArea, fill } from "../uploads/drop_area";
import { send, show } from "../uploads/send";

takeFiles();

/** Make the drop area of the page work. */
function takeFiles(): void {
  const form = document.getElementById("verify-form");
  const field = form?.querySelector<HTMLInputElement>("input[type=file]");
  if (!(form instanceof HTMLFormElement) || !field) return;
  dropArea(form, field, () => form.requestSubmit());
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
  const bar = document.querySelector<HTMLProgressElement>("#verify-busy progress");
  const main = await answer(form, (gone, all) => {
    if (!bar) return;
    if (gone < all) bar.value = gone / all;
    else bar.removeAttribute("value");
  });
  if (!main) {
    form.submit();
    return;
  }
  takeFiles();
  keepForReport(file);
  const verdict = main.querySelector<HTMLElement>(".kv-verdict");
  if (!verdict) return;
  verdict.tabIndex = -1;
  verdict.focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

async function answer(
  form: HTMLFormElement,
  progress: (gone: number, all: number) => void,
): Promise<HTMLElement | null> {
  try {
    const came = await send(form, progress).answer;
    return "page" in came ? show(came.page) : null;
  } catch {
    return null;
  }
}

/** Put the file that was checked into the form of the report, and do not ask for it again. */
function keepForReport(file: File): void {
  const wrapper = document.getElementById("report-file");
  const field = wrapper?.querySelector<HTMLInputElement>("input[type=file]");
  if (wrapper && field && fill(field, file)) wrapper.hidden = true;
}
