/** Peaks and talk metrics, computed when a recording is verified: docs/analysis.md has the thresholds. */
export interface RecordingAnalysis {
  version: 1;
  /** Of audio. */
  seconds: number;
  peaks: Peaks;
  /** Only of two channels: one alone does not tell who speaks. */
  talk?: TalkMetrics;
}

/** For a waveform: the loudest sample of each window, 0 to 255, in base64; a text for each channel. */
export interface Peaks {
  windowMs: number;
  channels: string[];
}

/** Whole ms. The sum of the first two, less the crosstalk, plus the silence, is the recording's length. */
export interface TalkMetrics {
  /** Crosstalk is in both. */
  agentMs: number;
  customerMs: number;
  /** Both at once. */
  crosstalkMs: number;
  /** Neither. */
  silenceMs: number;
  /** The longest time that one of them held the floor, and each of them. */
  longestMonologueMs: number;
  agentMonologueMs: number;
  customerMonologueMs: number;
}

/** On which channel the agent is, from 0. */
export type AgentChannel = 0 | 1;

const talkNames: readonly (keyof TalkMetrics)[] = [
  'agentMs',
  'customerMs',
  'crosstalkMs',
  'silenceMs',
  'longestMonologueMs',
  'agentMonologueMs',
  'customerMonologueMs',
];

/** Whether this is what it says: it has lain outside the process. */
export function isAnalysis(value: unknown): value is RecordingAnalysis {
  const { version, seconds, peaks, talk } = (value ?? {}) as Partial<RecordingAnalysis>;
  const isCount = (number: unknown) => typeof number === 'number' && Number.isFinite(number) && number >= 0;
  return (
    version === 1 &&
    isCount(seconds) &&
    isCount(peaks?.windowMs) &&
    Array.isArray(peaks?.channels) &&
    peaks.channels.every((channel) => typeof channel === 'string') &&
    (talk === undefined || talkNames.every((name) => isCount(talk?.[name])))
  );
}
