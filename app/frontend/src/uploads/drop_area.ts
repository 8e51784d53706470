// The part of a page onto which a file may be dropped. Without this script the field in it does the same.

/** Let `area` take one file that is dropped on it, as if it had been chosen in its field. */
export function dropArea(area: HTMLElement, field: HTMLInputElement, dropped: (file: File) => void): void {
  const invitation = area.querySelector<HTMLElement>(".kv-drop__invitation");
  if (invitation) invitation.hidden = false;
  const over = (event: DragEvent): void => {
    event.preventDefault();
    area.classList.add("kv-drop--over");
  };
  area.addEventListener("dragenter", over);
  area.addEventListener("dragover", over);
  area.addEventListener("dragleave", () => area.classList.remove("kv-drop--over"));
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    area.classList.remove("kv-drop--over");
    const files = event.dataTransfer?.files;
    const file = files?.item(0);
    if (!files || !file || files.length !== 1) return;
    field.files = files;
    dropped(file);
  });
}

/** Put a file into a field that a new page brought without it; say whether this browser can. */
export function fill(field: HTMLInputElement, file: File): boolean {
  try {
    const chosen = new DataTransfer();
    chosen.items.add(file);
    field.files = chosen.files;
    return true;
  } catch {
    // An old browser cannot: it asks for the file once more.
    return false;
  }
}
