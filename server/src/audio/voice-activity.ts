/** Length of one frame; the detector decides once for each. */
export const frameMs = 20;
/** A quieter frame is not speech into a telephone. */
export const leastSpeechDbfs = -45;
/** How far speech is above the noise of the line. */
export const aboveNoiseDb = 9;
/** A noise floor above this is speech without pauses: it no longer raises the threshold. */
export const mostNoiseDbfs = -39;
/** How fast the floor rises, dB a second; it falls at once. */
export const noiseRisesDb = 1;
/** A channel that is this much quieter than the other one is crosstalk of it. */
export const bleedDb = 20;

const fullScale = 32_768 ** 2;
const risesFrame = (noiseRisesDb * frameMs) / 1_000;

/** Level of a frame from the mean of its squared samples. */
export const dbfs = (meanSquare: number): number =>
  meanSquare <= 0 ? -100 : 10 * Math.log10(meanSquare / fullScale);

/** Decides for each frame on which of two channels a person speaks; `talk.ts` smooths the result. */
export class VoiceActivity {
  /** Noise floor of each channel; it begins with the level of the first frame. */
  readonly #floors: (number | undefined)[] = [undefined, undefined];

  /** Bit 0: the first channel; bit 1: the second. */
  frame(first: number, second: number): number {
    const [a, b] = [dbfs(first), dbfs(second)];
    let active = 0;
    if (this.#speaks(0, a) && a > b - bleedDb) active |= 1;
    if (this.#speaks(1, b) && b > a - bleedDb) active |= 2;
    return active;
  }

  #speaks(channel: 0 | 1, level: number): boolean {
    const floor = this.#floors[channel] ?? Math.min(level, mostNoiseDbfs);
    this.#floors[channel] = Math.min(level, floor + risesFrame, mostNoiseDbfs);
    return level > Math.max(leastSpeechDbfs, floor + aboveNoiseDb);
  }
}
