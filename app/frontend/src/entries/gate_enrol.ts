// Enrolling this tablet: its key is made here, and the request that proves it goes along with the one-time code.

import { requestFor } from "../gate/device_key";

const form = document.querySelector<HTMLFormElement>("[data-enrol]");
const field = form?.querySelector<HTMLInputElement>("[name=request]");
const code = form?.querySelector<HTMLInputElement>("[name=code]");

if (form && field && code && "indexedDB" in globalThis && globalThis.crypto?.subtle !== undefined) {
  form.addEventListener("submit", (event) => {
    if (field.value !== "") return;
    event.preventDefault();
    const typed = code.value.replaceAll(" ", "");
    requestFor(typed)
      .then((request) => {
        field.value = btoa(String.fromCharCode(...request));
      })
      // Without a key the tablet still scans with a network; the page of the tablet says so.
      .catch(() => undefined)
      .finally(() => form.submit());
  });
}
