import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Camera, type CameraState } from "./camera";

class Track extends EventTarget {
  readyState = "live";
  readonly applied: unknown[] = [];
  constructor(private readonly deviceId: string) {
    super();
  }
  getCapabilities(): { torch: boolean } {
    return { torch: this.deviceId === "back" };
  }
  getSettings(): { deviceId: string } {
    return { deviceId: this.deviceId };
  }
  async applyConstraints(wanted: { advanced: unknown[] }): Promise<void> {
    this.applied.push(...wanted.advanced);
  }
  stop(): void {
    this.readyState = "ended";
  }
}

let tracks: Track[];
let states: CameraState[];
let kept: Map<string, string>;
let page: EventTarget & { visibilityState: string };

beforeEach(() => {
  vi.useFakeTimers();
  tracks = [];
  states = [];
  kept = new Map();
  page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  vi.stubGlobal("document", page);
  const enumerateDevices = async (): Promise<unknown> => [
    { kind: "audioinput", deviceId: "ear" },
    { kind: "videoinput", deviceId: "front" },
    { kind: "videoinput", deviceId: "back" },
  ];
  const getUserMedia = async ({ video }: { video: MediaTrackConstraints }): Promise<unknown> => {
    const track = new Track((video.deviceId as { ideal: string } | undefined)?.ideal ?? "back");
    tracks.push(track);
    return { getVideoTracks: () => [track], getTracks: () => [track] };
  };
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia, enumerateDevices } });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function started(): Promise<Camera> {
  const video = { srcObject: null, play: async () => undefined } as unknown as HTMLVideoElement;
  const storage = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
  };
  const camera = new Camera(video, storage, (state) => states.push(state));
  await camera.start();
  return camera;
}

it("is opened again when the system ends it", async () => {
  await started();
  tracks[0]?.dispatchEvent(new Event("ended"));
  await vi.advanceTimersByTimeAsync(1);
  expect(tracks.map((track) => track.readyState)).toEqual(["ended", "live"]);
  expect(states).toEqual(["running", "running"]);
});

it("is opened again when it stays dark, and not when the picture comes back", async () => {
  await started();
  tracks[0]?.dispatchEvent(new Event("mute"));
  await vi.advanceTimersByTimeAsync(1_900);
  tracks[0]?.dispatchEvent(new Event("unmute"));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(tracks).toHaveLength(1);
  tracks[0]?.dispatchEvent(new Event("mute"));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(tracks).toHaveLength(2);
});

it("is opened afresh every half hour, with one track running at a time", async () => {
  await started();
  await vi.advanceTimersByTimeAsync(2 * 60 * 60_000);
  expect(tracks).toHaveLength(5);
  expect(tracks.filter((track) => track.readyState === "live")).toHaveLength(1);
});

it("stays closed after it was stopped", async () => {
  const camera = await started();
  camera.stop();
  page.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(60 * 60_000);
  expect(tracks.map((track) => track.readyState)).toEqual(["ended"]);
});

it("that was chosen by hand is used again when the page opens another day", async () => {
  await (await started()).useNext();
  expect(tracks[1]?.getSettings()).toEqual({ deviceId: "front" });
  expect(tracks[0]?.readyState).toBe("ended");
  const later = await started();
  expect(tracks[2]?.getSettings()).toEqual({ deviceId: "front" });
  await later.useNext();
  expect(tracks[3]?.getSettings()).toEqual({ deviceId: "back" });
});

it("keeps its lamp lit when it is opened again, until the guard puts it out", async () => {
  const camera = await started();
  expect(camera.hasLight).toBe(true);
  await camera.light(true);
  tracks[0]?.dispatchEvent(new Event("ended"));
  await vi.advanceTimersByTimeAsync(1);
  await camera.light(false);
  expect(tracks.map((track) => track.applied)).toEqual([[{ torch: true }], [{ torch: true }, { torch: false }]]);
});

it("without a lamp offers none", async () => {
  const camera = await started();
  await camera.useNext();
  await camera.light(true);
  expect([camera.hasLight, tracks[1]?.applied]).toEqual([false, []]);
});
