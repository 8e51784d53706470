// The end of a shift: asked for, confirmed, written into the log, so that the rights of this gate go back at once.

export class Shift {
  isOver = false;
  private readonly dialog = document.querySelector<HTMLDialogElement>("[data-end-dialog]");
  private readonly ended = document.querySelector<HTMLElement>("[data-ended]");
  private readonly words = document.querySelector<HTMLElement>("[data-ended-words]");

  constructor(end: () => Promise<void>) {
    this.on("[data-end]", () => this.dialog?.showModal());
    this.on("[data-end-not]", () => this.dialog?.close());
    this.on("[data-end-now]", () => {
      this.dialog?.close();
      if (this.isOver) return;
      this.isOver = true;
      void end();
    });
    this.on("[data-begin]", () => location.reload());
  }

  /** Cover the page: nothing is scanned any more. What still waits to be sent goes on being sent. */
  showEnd(words: string): void {
    if (this.words && this.words.textContent !== words) this.words.textContent = words;
    if (!this.ended?.hidden) return;
    this.ended.hidden = false;
    this.ended.focus();
  }

  private on(selector: string, act: () => void): void {
    document.querySelector(selector)?.addEventListener("click", act);
  }
}
