// Finding a QR code in what the camera sees: zxing, compiled to WebAssembly, served by us.

import { BarcodeDetector, prepareZXingModule } from "barcode-detector/ponyfill";
import wasmUrl from "zxing-wasm/reader/zxing_reader.wasm?url";

const EVERY_MS = 80;
// The same code stays in view for a while; it is read again only after it was gone, or after this long.
const COOL_DOWN_MS = 3000;

prepareZXingModule({ overrides: { locateFile: (path: string) => (path.endsWith(".wasm") ? wasmUrl : path) } });

/** Call `found` with the text of each code that comes into view. Frames with none are passed over. */
export function watch(video: HTMLVideoElement, found: (text: string) => void): void {
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  let last = { text: "", at: 0 };
  const look = async (): Promise<void> => {
    if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !video.paused) {
      try {
        const text = (await detector.detect(video))[0]?.rawValue;
        const now = performance.now();
        if (text !== undefined && (text !== last.text || now - last.at > COOL_DOWN_MS)) {
          last = { text, at: now };
          found(text);
        } else if (text !== undefined) {
          last.at = now;
        }
      } catch {
        // A frame that cannot be read is no reason to stop looking: the next one comes.
      }
    }
    setTimeout(() => void look(), EVERY_MS);
  };
  void look();
}
