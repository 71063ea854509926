/**
 * Why an agent's segment has no recording, as an operator may say. The first ten are the vocabulary of Verint's Capture Verification;
 * docs/recorder.md has the same table.
 */
export const reasons = {
  'missing-recording':
    'The call was not recorded, or its recording cannot be found, and no other reason is known.',
  'missing-cdr': "Twilio's records of the call are missing or wrong.",
  network: 'A network failed.',
  'switch-configuration': 'Twilio or Flex was configured so that nothing was recorded.',
  'recorder-configuration':
    'The host, its Functions or its plugins were configured so that nothing was recorded.',
  archive: 'The recording is kept elsewhere.',
  'recorded-in-error': 'It was recorded by mistake, and the recording was removed on purpose.',
  'voice-quality': 'The audio could not be used.',
  'false-positive': 'There was no conversation to record.',
  'test-call': 'It was a test call.',
  'consent-refused': 'A party refused to be recorded.',
  'deleted-at-source': 'The recording was deleted at Twilio before the host copied it.',
  outage: 'Twilio or the host was out of service.',
} as const;
export type ReasonCode = keyof typeof reasons;

export const isReason = (value: unknown): value is ReasonCode =>
  typeof value === 'string' && Object.hasOwn(reasons, value);

/** What an operator said of a segment. */
export interface Reason {
  reason: ReasonCode;
  comment?: string;
  /** Who said so: a user of a machine, as the command line states it. */
  explainedBy: string;
  explainedAt: Date;
}

/** Whether a text is one line of up to 500 characters, as a comment and a name are. */
export const isOneLine = (value: unknown): value is string =>
  typeof value === 'string' && /^[^\p{C}]{1,500}$/u.test(value);
