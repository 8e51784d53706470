// Pages of a PDF on a canvas, by pdf.js in a worker of ours: no scripts of the file, no forms of Adobe, no eval.

import { getDocument, GlobalWorkerOptions, type PDFDocumentProxy, type PDFPageProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
import workerUrl from "pdfjs-dist/legacy/build/pdf.worker.min.mjs?url";
import type { Bytes } from "../browser_keys/der";
import type { Size } from "./placement";

GlobalWorkerOptions.workerSrc = workerUrl;

const MM_PER_POINT = 25.4 / 72;
// About 16 megapixels: what an old phone still holds.
const MOST_PIXELS = 16_000_000;

export interface Shown {
  /** As the reader sees the page, on paper. */
  readonly size: Size;
  readonly text: string;
}

export class Viewer {
  private document: PDFDocumentProxy | undefined;
  private drawing: { cancel(): void } | undefined;

  constructor(private readonly canvas: HTMLCanvasElement) {}

  /** Open a file; the bytes are copied, since pdf.js hands its own to the worker. */
  async open(pdf: Bytes): Promise<number> {
    await this.document?.loadingTask.destroy();
    this.document = await getDocument({
      data: pdf.slice(),
      isEvalSupported: false,
      enableXfa: false,
      useWasm: false,
      stopAtErrors: true,
      maxImageSize: MOST_PIXELS,
    }).promise;
    return this.document.numPages;
  }

  get isOpen(): boolean {
    return this.document !== undefined;
  }

  /** Draw a page (from 1) as wide as `width` CSS pixels. */
  async show(number: number, width: number): Promise<Shown> {
    if (this.document === undefined) throw new Error("nothing is open");
    this.drawing?.cancel();
    const page: PDFPageProxy = await this.document.getPage(number);
    const natural = page.getViewport({ scale: 1 });
    const wanted = (width / natural.width) * Math.min(globalThis.devicePixelRatio || 1, 3);
    const most = Math.sqrt(MOST_PIXELS / (natural.width * natural.height));
    const viewport = page.getViewport({ scale: Math.min(wanted, most) });
    this.canvas.width = Math.floor(viewport.width);
    this.canvas.height = Math.floor(viewport.height);
    const task = page.render({ canvas: this.canvas, viewport });
    this.drawing = task;
    await task.promise;
    const content = await page.getTextContent();
    return {
      size: { widthMm: natural.width * MM_PER_POINT, heightMm: natural.height * MM_PER_POINT },
      text: content.items.map((item) => ("str" in item ? item.str + (item.hasEOL ? "\n" : "") : "")).join(""),
    };
  }
}
