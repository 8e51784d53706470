// The camera: opened once, watched, and opened again when the system takes it away or it has run for long.

const PICTURE: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
// Which camera was chosen by hand: kept on this tablet.
const CHOSEN = "kyvao-gate-camera";
// A track that gives no picture for so long does not come back by itself.
const DARK_MS = 2_000;
// Some tablets' pictures freeze or go black after hours, without any event.
const FRESH_MS = 30 * 60_000;

export type CameraState = "running" | "refused" | "missing";

/** What is known of a lamp by browsers that can light one, and not by TypeScript's library. */
interface Lamp {
  readonly torch?: boolean;
}

export class Camera {
  private stream: MediaStream | null = null;
  private isWanted = false;
  private isOpening = false;
  private reopen: ReturnType<typeof setTimeout> | undefined;
  private isLightWanted = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly kept: Pick<Storage, "getItem" | "setItem">,
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

  /** Whether the camera in use has a lamp that we may light. */
  get hasLight(): boolean {
    return (this.track?.getCapabilities?.() as Lamp | undefined)?.torch === true;
  }

  /** Light the lamp or put it out; it stays so when the camera is opened again. */
  async light(on: boolean): Promise<void> {
    this.isLightWanted = on;
    if (this.hasLight) await this.track?.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] });
  }

  /** The ids of this tablet's cameras; the browser tells them once it may use one. */
  async cameras(): Promise<string[]> {
    const found = await navigator.mediaDevices.enumerateDevices();
    return found.filter((each) => each.kind === "videoinput").map((each) => each.deviceId);
  }

  /** Use the next camera of this tablet, from now on. */
  async useNext(): Promise<void> {
    const all = await this.cameras();
    const next = all[(all.indexOf(this.track?.getSettings().deviceId ?? "") + 1) % all.length];
    if (!next) return;
    this.kept.setItem(CHOSEN, next);
    await this.start();
  }

  private get track(): MediaStreamTrack | undefined {
    return this.stream?.getVideoTracks()[0];
  }

  private async open(): Promise<void> {
    this.close();
    const chosen = this.kept.getItem(CHOSEN);
    // Not exact: a camera that was unplugged is no reason to stay dark.
    const which = chosen === null ? { facingMode: { ideal: "environment" } } : { deviceId: { ideal: chosen } };
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...PICTURE, ...which } });
    } catch (error) {
      this.tell(error instanceof DOMException && error.name === "NotAllowedError" ? "refused" : "missing");
      return;
    }
    this.stream = stream;
    // It was stopped while the browser asked.
    if (!this.isWanted) return this.close();
    this.watch(this.track);
    await this.focusContinuously(this.track);
    // A lamp that does not light is no reason to see nothing.
    if (this.isLightWanted) await this.light(true).catch(() => undefined);
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
