// The buttons on the camera's picture: its lamp, and another camera. Each is shown where the tablet has it.

import type { Camera } from "./camera";

export class CameraButtons {
  private readonly light = document.querySelector<HTMLButtonElement>("[data-light]");
  private readonly other = document.querySelector<HTMLButtonElement>("[data-other-camera]");

  constructor(private readonly camera: Camera) {
    this.light?.addEventListener("click", () => void this.turn(this.light?.getAttribute("aria-pressed") !== "true"));
    this.other?.addEventListener("click", () => void camera.useNext());
  }

  /** Show what the camera that runs now can do. */
  async show(): Promise<void> {
    if (this.light) this.light.hidden = !this.camera.hasLight;
    if (this.other) this.other.hidden = (await this.camera.cameras()).length < 2;
  }

  private async turn(on: boolean): Promise<void> {
    await this.camera.light(on);
    this.light?.setAttribute("aria-pressed", String(on));
  }
}
