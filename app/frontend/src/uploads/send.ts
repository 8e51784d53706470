// Sending a form with a file while the page stays, so that people see how far it is and may stop it.
import { Button, Checkboxes, ErrorSummary, createAll } from "govuk-frontend";

/** Where to go on (what was sent is stored), or the page that the server answered with. */
export type Answer = { readonly location: string } | { readonly page: Document };

export interface Sending {
  readonly answer: Promise<Answer>;
  cancel(): void;
}

/** Send the form. `progress` is told the octets that have gone and all of them. Rejects when there is no answer. */
export function send(form: HTMLFormElement, progress: (gone: number, all: number) => void): Sending {
  const request = new XMLHttpRequest();
  const answer = new Promise<Answer>((resolve, reject) => {
    request.open("POST", form.action);
    request.responseType = "document";
    request.setRequestHeader("Accept", "text/html");
    // The address of what was made instead of its page (RFC 7240): the page is opened as a page.
    request.setRequestHeader("Prefer", "return=minimal");
    request.upload.addEventListener("progress", (event) => progress(event.loaded, event.total));
    request.addEventListener("load", () => {
      const location = request.status === 201 ? request.getResponseHeader("Location") : null;
      if (location !== null) resolve({ location });
      else if (request.responseXML?.querySelector("main")) resolve({ page: request.responseXML });
      else reject(new Error(String(request.status)));
    });
    request.addEventListener("error", () => reject(new Error("no answer")));
    request.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
    request.send(new FormData(form));
  });
  return { answer, cancel: () => request.abort() };
}

/** Put the main part of a page that came in the place of the one that is shown; return it. */
export function show(page: Document): HTMLElement | null {
  const came = page.querySelector("main");
  const here = document.querySelector("main");
  if (!came || !here) return null;
  document.title = page.title;
  const main = document.adoptNode(came);
  here.replaceWith(main);
  createAll(Button, { preventDoubleClick: true }, main);
  createAll(Checkboxes, undefined, main);
  createAll(ErrorSummary, undefined, main);
  return main;
}
