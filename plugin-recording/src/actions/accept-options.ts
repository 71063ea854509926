import type { Plan } from './plan';

/** `conferenceOptions` of Flex's AcceptTask: options of other plugins are kept. */
export type ConferenceOptions = Readonly<Record<string, unknown>>;

/** True where an option says that something is recorded, in any of the spellings that TaskRouter takes. */
export const saysRecord = (option: unknown): boolean =>
  option === true || option === 'true' || option === 'record-from-start';

const legKeys = ['record', 'recordingChannels', 'recordingStatusCallback', 'recordingStatusCallbackMethod'];
const conferenceKeys = ['conferenceRecordingStatusCallback', 'conferenceRecordingStatusCallbackMethod'];

const without = (options: ConferenceOptions, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).filter(([key]) => !keys.includes(key)));

/** The options with which a call is accepted so that the plan holds; undefined where they stay as they are. */
export function acceptOptions(
  plan: Plan,
  options: ConferenceOptions,
  callbackUrl: string,
): Record<string, unknown> | undefined {
  if (!plan.record) {
    if (plan.reason === 'settings-invalid' || plan.reason === 'flex-recording-off') return undefined;
    return { ...without(options, [...legKeys, ...conferenceKeys]), conferenceRecord: false };
  }
  const conference = plan.conference
    ? {
        ...options,
        conferenceRecordingStatusCallback: callbackUrl,
        conferenceRecordingStatusCallbackMethod: 'POST',
      }
    : { ...without(options, conferenceKeys), conferenceRecord: false };
  if (!plan.leg) return conference;
  return {
    ...conference,
    // A string: the boolean makes the acceptance fail.
    record: 'true',
    recordingChannels: 'dual',
    recordingStatusCallback: callbackUrl,
    recordingStatusCallbackMethod: 'POST',
  };
}
