import type { ReportFailure } from '../consent/report';

/**
 * All texts that people read, registered into `manager.strings`: a customer overrides a text, or translates it, by setting
 * the same key there or in `ui_attributes.strings`. `{{name}}` is filled in.
 */
export const strings = {
  FlexCustodyVoiceTitle: 'Voice biometrics',

  FlexCustodyVoiceLoading: 'Voice biometrics is loading…',
  FlexCustodyVoiceWaiting: 'Waiting for the customer to be on the line…',

  FlexCustodyVoiceMissingTitle: "Veridas's files are missing",
  FlexCustodyVoiceMissing:
    'Not found: {{files}}. Your administrator adds them to the plugin when it is built, or sets veridas.vendor_url to the folder that has them.',
  FlexCustodyVoiceFailedTitle: 'Voice biometrics did not load',
  FlexCustodyVoiceFailed: '{{file}} could not be loaded. The call is not affected.',
  FlexCustodyVoiceBrokenTitle: 'Voice biometrics stopped working',
  FlexCustodyVoiceBroken: 'The call is not affected.',
  FlexCustodyVoiceSettingsTitle: 'Voice biometrics is not set up correctly',
  FlexCustodyVoiceSettings: 'Please tell your administrator.',
  FlexCustodyVoiceProblem: '{{path}} must {{must}}',
  FlexCustodyVoiceRetry: 'Try again',

  FlexCustodyVoiceAsk: 'Does the caller agree to the use of their voice for identification?',
  FlexCustodyVoiceAskHelp: 'Ask the caller, and record the answer. Voice analysis starts only after consent.',
  FlexCustodyVoiceGiven: 'Caller agrees',
  FlexCustodyVoiceRefused: 'Caller refuses',
  FlexCustodyVoiceWriting: "The caller's answer is being recorded…",
  FlexCustodyVoiceIsRefused: 'The caller did not agree. Their voice is not used.',
  FlexCustodyVoicePaused:
    'The recording is paused, so voice analysis is paused too. Resume the recording first.',
  FlexCustodyVoiceEnded: 'The call is over.',
  FlexCustodyVoiceAskAgain: 'Ask again',
  FlexCustodyVoiceWithdraw: 'Caller withdraws consent',

  FlexCustodyVoiceUnwrittenTitle: "The caller's answer could not be recorded",
  FlexCustodyVoiceUnwritten: '{{why}} Without that record, the voice is not used.',
  'FlexCustodyVoiceWhy_host-unset': 'No recording service is set up.',
  FlexCustodyVoiceWhy_unreachable: 'The recording service cannot be reached.',
  'FlexCustodyVoiceWhy_session-refused': 'Your session is not accepted: reload the page or sign in again.',
  'FlexCustodyVoiceWhy_not-your-call': 'You are not on this call, or it is over.',
  'FlexCustodyVoiceWhy_host-failed': 'The recording service has failed.',

  FlexCustodyVoiceAlert: 'Voice biometrics is not set up correctly: {{problems}}',
};

export type StringKey = keyof typeof strings;

export const whyKey = (failure: ReportFailure): StringKey => `FlexCustodyVoiceWhy_${failure}`;

export type Text = (key: StringKey, values?: Readonly<Record<string, string>>) => string;

/** The text of a key as the customer has it now, filled in. */
export const textOf =
  (all: () => Readonly<Record<string, unknown>>): Text =>
  (key, values = {}) => {
    const found = all()[key];
    const template = typeof found === 'string' && found !== '' ? found : strings[key];
    return template.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => values[name] ?? whole);
  };
