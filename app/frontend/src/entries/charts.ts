// Charts of the console. Without this script the tables below them say the same.
// The library is 60 kB and comes only when a chart is about to be seen.
import { readChart } from "../charts/messages";

const frames = document.querySelectorAll<HTMLElement>("[data-chart]");
const near = new IntersectionObserver(
  (entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    near.disconnect();
    for (const frame of frames) void draw(frame);
  },
  { rootMargin: "200px" },
);

for (const frame of frames) {
  frame.hidden = false;
  const bars = Number(frame.dataset["bars"]);
  // Room for each bar and its name; through the style object, which the page's rules on styles allow.
  if (bars > 0) frame.style.height = `${bars * 30 + 50}px`;
  near.observe(frame);
}

async function draw(frame: HTMLElement): Promise<void> {
  const canvas = frame.querySelector("canvas");
  const source = document.getElementById(`chart-data-${frame.dataset["chart"] ?? ""}`);
  if (!canvas || !source) return;
  const chart = readChart(JSON.parse(source.textContent));
  const { drawBars } = await import("../charts/bars");
  drawBars(frame, canvas, chart);
}
