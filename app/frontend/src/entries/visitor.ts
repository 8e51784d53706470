// The form of a visitor at the desk, filled from an identity card that a scanner types or the camera sees.
// What was read is never kept: the name goes into its field, the number into the form alone.
import { readCard } from "../reception/card";

function find<Kind extends HTMLElement>(selector: string): Kind {
  const found = document.querySelector<Kind>(selector);
  if (found === null) throw new TypeError(`no ${selector}`);
  return found;
}

const group = find("#card-group");
const typed = find<HTMLInputElement>("#card");
const answer = find("#card-answer");
const video = find<HTMLVideoElement>("#card-video");
const start = find<HTMLButtonElement>("#card-camera");
const form = find<HTMLFormElement>("form[data-visitor]");

function fill(text: string): boolean {
  const card = readCard(text);
  typed.value = "";
  answer.textContent = (card === null ? answer.dataset["unread"] : answer.dataset["read"]) ?? "";
  if (card === null) return false;
  find<HTMLInputElement>("form[data-visitor] [name=name]").value = card.name;
  find<HTMLInputElement>("form[data-visitor] [name=number]").value = card.number;
  find<HTMLInputElement>("form[data-visitor] [name=organisation]").focus();
  return true;
}

typed.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" && event.key !== "Tab") return;
  if (typed.value === "") return;
  event.preventDefault();
  fill(typed.value);
});
// A scanner without Enter at its end, or whoever typed and went on.
typed.addEventListener("change", () => {
  if (typed.value !== "") fill(typed.value);
});
form.addEventListener("submit", () => {
  typed.value = "";
});

/** Let the camera look until it has read a card; the reader itself is fetched only now. */
async function look(): Promise<void> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: { ideal: "environment" } } });
  video.hidden = false;
  video.srcObject = stream;
  await video.play();
  const { watch } = await import("../gate/detector");
  watch(video, (text) => {
    if (video.srcObject === null || !fill(text)) return true;
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
    video.hidden = true;
    return true;
  });
}

start.addEventListener("click", () => {
  start.hidden = true;
  look().catch(() => {
    video.hidden = true;
    answer.textContent = answer.dataset["blind"] ?? "";
  });
});

start.hidden = !("mediaDevices" in navigator);
group.hidden = false;
