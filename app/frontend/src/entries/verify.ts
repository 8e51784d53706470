// The check of a PDF: a file that is dropped is sent at once; without this script the field and the button do the same.

const form = document.getElementById("verify-form");
const field = form?.querySelector<HTMLInputElement>("input[type=file]");
const invitation = document.getElementById("verify-invitation");
const busy = document.getElementById("verify-busy");

if (form instanceof HTMLFormElement && field && invitation && busy) {
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
  form.addEventListener("submit", () => {
    busy.hidden = (field.files?.length ?? 0) === 0;
  });
}
