// One series as columns in time or as bars with names, in the colours of the house.
import { BarController, BarElement, CategoryScale, Chart, LinearScale, Tooltip } from "chart.js";
import type { ChartData } from "./messages";

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip);

const INK = "#16213A";
const QUIET = "#505B70";
const HAIRLINE = "#D9D7D0";
const TONES = { action: "#1D4E89", danger: "#B3261E" };
// Names of agencies are long; on a phone they may take half of the width.
const WIDEST_NAME = 0.5;

export function drawBars(frame: HTMLElement, canvas: HTMLCanvasElement, { labels, values, columns, tone }: ChartData): void {
  Chart.defaults.font.family = "'Be Vietnam Pro', system-ui, sans-serif";
  Chart.defaults.font.size = 14;
  Chart.defaults.color = QUIET;
  const counts = { beginAtZero: true, ticks: { precision: 0, maxTicksLimit: 6 }, grid: { color: HAIRLINE } };
  const days = { ticks: { maxTicksLimit: 10, maxRotation: 0 }, grid: { display: false } };
  const names = {
    ticks: { color: INK, autoSkip: false, callback: (_: unknown, at: number) => shortened(labels[at] ?? "", frame.clientWidth) },
    grid: { display: false },
  };
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  new Chart(canvas, {
    type: "bar",
    data: { labels: [...labels], datasets: [{ data: [...values], backgroundColor: TONES[tone], maxBarThickness: 22 }] },
    options: {
      indexAxis: columns ? "x" : "y",
      locale: document.documentElement.lang,
      maintainAspectRatio: false,
      animation: still ? false : { duration: 300 },
      scales: columns ? { x: days, y: counts } : { x: counts, y: names },
      plugins: { tooltip: { displayColors: false } },
    },
  });
}

/** Keep the end of a name, which tells agencies apart, as long as fits; the tooltip and the table have the whole. */
function shortened(name: string, width: number): string {
  const most = Math.floor((width * WIDEST_NAME) / 8);
  return name.length <= most ? name : `…${name.slice(1 - most)}`;
}
