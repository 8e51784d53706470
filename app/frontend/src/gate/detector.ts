// Finding a QR code in what the camera sees: zxing, compiled to WebAssembly, served by us.

import { BarcodeDetector, prepareZXingModule } from "barcode-detector/ponyfill";
import wasmUrl from "zxing-wasm/reader/zxing_reader.wasm?url";
import { Sightings } from "./sightings";

const EVERY_MS = 80;

prepareZXingModule({ overrides: { locateFile: (path: string) => (path.endsWith(".wasm") ? wasmUrl : path) } });

/** Offer `take` the text of each code that comes into view; it says whether it had time for it. */
export function watch(video: HTMLVideoElement, take: (text: string) => boolean): void {
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  const sightings = new Sightings();
  const look = async (): Promise<void> => {
    if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !video.paused) {
      try {
        const text = (await detector.detect(video))[0]?.rawValue;
        sightings.frame(text, performance.now(), take);
      } catch {
        // A frame that cannot be read is no reason to stop looking: the next one comes.
      }
    }
    setTimeout(() => void look(), EVERY_MS);
  };
  void look();
}
