// The camera: opened once, watched, and opened again when the system takes it away or it has run for long.

const WANTED: MediaStreamConstraints = {
  audio: false,
  video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
};
// A track that gives no picture for so long does not come back by itself.
const DARK_MS = 2_000;
// Some tablets' pictures freeze or go black after hours, without any event.
const FRESH_MS = 30 * 60_000;

export type CameraState = "running" | "refused" | "missing";

export class Camera {
  private stream: MediaStream | null = null;
  private isWanted = false;
  private isOpening = false;
  private reopen: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly tell: (state: CameraState) => void,
  ) {
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && this.isWanted && !this.isLive()) void this.start();
    });
  }

  async start(): Promise<void> {
    this.isWanted = true;
    if (this.isOpening) return;
    this.isOpening = true;
    try {
      await this.open();
    } finally {
      this.isOpening = false;
    }
  }

  /** Close it for good: only `start` opens it again. */
  stop(): void {
    this.isWanted = false;
    this.close();
  }

  private async open(): Promise<void> {
    this.close();
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia(WANTED);
    } catch (error) {
      this.tell(error instanceof DOMException && error.name === "NotAllowedError" ? "refused" : "missing");
      return;
    }
    this.stream = stream;
    // It was stopped while the browser asked.
    if (!this.isWanted) return this.close();
    const track = stream.getVideoTracks()[0];
    this.watch(track);
    await this.focusContinuously(track);
    this.video.srcObject = stream;
    await this.video.play();
    this.tell("running");
  }

  private watch(track: MediaStreamTrack | undefined): void {
    track?.addEventListener("ended", () => this.againIn(0));
    track?.addEventListener("mute", () => this.againIn(DARK_MS));
    track?.addEventListener("unmute", () => this.againIn(FRESH_MS));
    this.againIn(FRESH_MS);
  }

  private againIn(ms: number): void {
    clearTimeout(this.reopen);
    this.reopen = setTimeout(() => void this.start(), ms);
  }

  private close(): void {
    clearTimeout(this.reopen);
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
  }

  private isLive(): boolean {
    return this.stream?.getVideoTracks().some((track) => track.readyState === "live") ?? false;
  }

  private async focusContinuously(track: MediaStreamTrack | undefined): Promise<void> {
    const able = track?.getCapabilities?.() as { focusMode?: string[] } | undefined;
    if (track && able?.focusMode?.includes("continuous")) {
      await track.applyConstraints({ advanced: [{ focusMode: "continuous" } as MediaTrackConstraintSet] });
    }
  }
}
