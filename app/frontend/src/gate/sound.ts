// A short sound and a buzz for each outcome, made here: three that cannot be mistaken for each other.

import type { Outcome } from "../passes/decision";

const TONES: Record<Outcome, readonly (readonly [hertz: number, seconds: number])[]> = {
  admit: [
    [880, 0.12],
    [1320, 0.18],
  ],
  refuse: [[220, 0.6]],
  look_again: [
    [520, 0.15],
    [520, 0.15],
  ],
};
const BUZZES: Record<Outcome, number[]> = { admit: [80], refuse: [400], look_again: [120, 80, 120] };

let context: AudioContext | null = null;

export function announce(outcome: Outcome): void {
  navigator.vibrate?.(BUZZES[outcome]);
  context ??= new AudioContext();
  let at = context.currentTime;
  for (const [hertz, seconds] of TONES[outcome]) {
    const tone = context.createOscillator();
    tone.frequency.value = hertz;
    tone.connect(context.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds + 0.05;
  }
}
