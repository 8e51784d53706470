// The ruler over a head's own place: what Decree 30 measures there, drawn on the page and said in words beside it.

import type { Measure } from "./answers";
import type { Size } from "./placement";

const SVG = "http://www.w3.org/2000/svg";
// Half the little stroke at either end of a line, in millimetres.
const TICK = 1.2;

/** Strokes of the ruler as one path, in millimetres from the upper left corner of the page. */
export function pathOf(measures: readonly Measure[], page: Size): string {
  return measures
    .map(({ begins: [x0, low], ends: [x1, high] }) => {
      const [y0, y1] = [page.heightMm - low, page.heightMm - high];
      const upright = Math.abs(x1 - x0) < Math.abs(y1 - y0);
      const tick = (x: number, y: number): string =>
        upright ? stroke(x - TICK, y, x + TICK, y) : stroke(x, y - TICK, x, y + TICK);
      return stroke(x0, y0, x1, y1) + tick(x0, y0) + tick(x1, y1);
    })
    .join("");
}

/** A drawing of the ruler that lies over the whole page. */
export function drawRuler(measures: readonly Measure[], page: Size): SVGSVGElement {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", `0 0 ${page.widthMm} ${page.heightMm}`);
  drawing.setAttribute("aria-hidden", "true");
  drawing.classList.add("kv-sign__ruler");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", pathOf(measures, page));
  drawing.append(path);
  return drawing;
}

/** The same in words, an item each. */
export function listRuler(measures: readonly Measure[]): readonly HTMLLIElement[] {
  return measures.map((measure) => {
    const item = document.createElement("li");
    item.textContent = measure.sentence;
    return item;
  });
}

function stroke(x0: number, y0: number, x1: number, y1: number): string {
  return `M${round(x0)} ${round(y0)}L${round(x1)} ${round(y1)}`;
}

function round(value: number): string {
  return value.toFixed(2);
}
