// Where the mark stands: a corner of the page as it is shown and millimetres inwards. The server turns it into the
// page's own coordinates; here is only what the reader sees.

export const CORNERS = ["top_left", "top_right", "bottom_left", "bottom_right"] as const;
export type Corner = (typeof CORNERS)[number];

export interface Size {
  readonly widthMm: number;
  readonly heightMm: number;
}

export interface Place {
  readonly corner: Corner;
  readonly xMm: number;
  readonly yMm: number;
}

export interface Box extends Size {
  readonly leftMm: number;
  readonly topMm: number;
}

export function isCorner(value: string): value is Corner {
  return (CORNERS as readonly string[]).includes(value);
}

/** The mark's rectangle from the page's upper left corner. */
export function boxOf(place: Place, mark: Size, page: Size): Box {
  const fromRight = place.corner.endsWith("right");
  const fromBottom = place.corner.startsWith("bottom");
  return {
    ...mark,
    leftMm: fromRight ? page.widthMm - place.xMm - mark.widthMm : place.xMm,
    topMm: fromBottom ? page.heightMm - place.yMm - mark.heightMm : place.yMm,
  };
}

export function fits(box: Box, page: Size): boolean {
  return (
    box.leftMm >= 0 &&
    box.topMm >= 0 &&
    box.leftMm + box.widthMm <= page.widthMm &&
    box.topMm + box.heightMm <= page.heightMm
  );
}

/** Centre the mark on a point, whole millimetres from the corner that is chosen, pushed back onto the page. */
export function centredOn(leftMm: number, topMm: number, corner: Corner, mark: Size, page: Size): Place {
  const left = clamp(leftMm - mark.widthMm / 2, page.widthMm - mark.widthMm);
  const top = clamp(topMm - mark.heightMm / 2, page.heightMm - mark.heightMm);
  const x = corner.endsWith("right") ? page.widthMm - left - mark.widthMm : left;
  const y = corner.startsWith("bottom") ? page.heightMm - top - mark.heightMm : top;
  return { corner, xMm: Math.max(0, Math.floor(x)), yMm: Math.max(0, Math.floor(y)) };
}

/** The same place on the page, told from another corner. */
export function measuredFrom(corner: Corner, place: Place, mark: Size, page: Size): Place {
  const box = boxOf(place, mark, page);
  return centredOn(box.leftMm + mark.widthMm / 2, box.topMm + mark.heightMm / 2, corner, mark, page);
}

/** Fill `{name}` in a sentence that the page handed over. */
export function fill(sentence: string, values: Readonly<Record<string, string | number>>): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(0, value), Math.max(0, most));
}
