// A button that copies what a field holds. Without script it stays hidden: the field can be selected by hand.
for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
  const field = document.getElementById(button.dataset["copy"] ?? "");
  if (!(field instanceof HTMLTextAreaElement)) continue;
  button.hidden = false;
  button.addEventListener("click", () => void copy(field, button));
}

async function copy(field: HTMLTextAreaElement, button: HTMLButtonElement): Promise<void> {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset["copied"] ?? button.textContent;
  } catch {
    // The browser does not allow it; the text is selected, and the person copies it by hand.
  }
}
