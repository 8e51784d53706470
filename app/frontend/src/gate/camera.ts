// The camera: opened once, watched, and opened again when the system takes it away.

const WANTED: MediaStreamConstraints = {
  audio: false,
  video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
};

export type CameraState = "running" | "refused" | "missing";

export class Camera {
  private stream: MediaStream | null = null;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly tell: (state: CameraState) => void,
  ) {
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && !this.isLive()) void this.start();
    });
  }

  async start(): Promise<void> {
    this.stop();
    try {
      this.stream = await navigator.mediaDevices.getUserMedia(WANTED);
    } catch (error) {
      this.tell(error instanceof DOMException && error.name === "NotAllowedError" ? "refused" : "missing");
      return;
    }
    const track = this.stream.getVideoTracks()[0];
    track?.addEventListener("ended", () => void this.start());
    await this.focusContinuously(track);
    this.video.srcObject = this.stream;
    await this.video.play();
    this.tell("running");
  }

  stop(): void {
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
