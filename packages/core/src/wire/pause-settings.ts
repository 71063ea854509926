import { asBoolean, asPositive, oneOf, readFields } from './fields.ts';

/** Answer of the host's `GET /settings/pause`, asked by the Functions (signed) and the plugins (Flex token). */
export interface PauseSettings {
  enabled: boolean;
  behavior: 'silence' | 'skip';
  /** The host resumes after so many seconds; 0: only at wrap-up. */
  resumeAfterSeconds: number;
}

/** The settings; undefined where the answer does not say whether agents may pause. What else it does not say has a default. */
export function readPauseSettings(answer: unknown): PauseSettings | undefined {
  return readFields(answer, ({ needed, hint }) => ({
    enabled: needed('enabled', asBoolean),
    behavior: 'silence',
    resumeAfterSeconds: 0,
    ...hint('behavior', oneOf('silence', 'skip')),
    ...hint('resumeAfterSeconds', asPositive),
  }));
}
