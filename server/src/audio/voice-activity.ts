/** One decision is made for so long a piece of audio. */
export const frameMs = 20;
/** What is quieter than this is nobody speaking into a telephone. */
export const leastSpeechDbfs = -45;
/** Above the noise of the line. */
export const aboveNoiseDb = 9;
/** A noise floor above this is speech that nobody paused in: it no longer raises the threshold. */
export const mostNoiseDbfs = -39;
/** How fast the floor is taken to rise, dB a second; down it follows at once. */
export const noiseRisesDb = 1;
/** So much quieter than the other channel at the same time, it is the other one, heard through. */
export const bleedDb = 20;

const fullScale = 32_768 ** 2;
const risesFrame = (noiseRisesDb * frameMs) / 1_000;

/** Level of a frame from the mean of its squared samples. */
export const dbfs = (meanSquare: number): number =>
  meanSquare <= 0 ? -100 : 10 * Math.log10(meanSquare / fullScale);

/** Tells, frame by frame, on which of two channels somebody speaks; what is brief is smoothed elsewhere. */
export class VoiceActivity {
  /** Of each channel; its first frame tells it, for want of better. */
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
