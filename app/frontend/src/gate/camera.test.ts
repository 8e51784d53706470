import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Camera, type CameraState } from "./camera";

class Track extends EventTarget {
  readyState = "live";
  stop(): void {
    this.readyState = "ended";
  }
}

let tracks: Track[];
let states: CameraState[];
let page: EventTarget & { visibilityState: string };

beforeEach(() => {
  vi.useFakeTimers();
  tracks = [];
  states = [];
  page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  vi.stubGlobal("document", page);
  const getUserMedia = async (): Promise<unknown> => {
    const track = new Track();
    tracks.push(track);
    return { getVideoTracks: () => [track], getTracks: () => [track] };
  };
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function started(): Promise<Camera> {
  const video = { srcObject: null, play: async () => undefined } as unknown as HTMLVideoElement;
  const camera = new Camera(video, (state) => states.push(state));
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
