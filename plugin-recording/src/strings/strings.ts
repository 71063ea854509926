import type { NotRecordedReason } from '@flex-custody/core';
import type { Failure } from '../api/call-control';

/**
 * All texts that people read, registered into `manager.strings`: a customer overrides a text, or translates it, by setting
 * the same key there from a plugin of his own, before or after ours. `{{name}}` is filled in.
 */
export const strings = {
  FlexCustodyStarting: 'Starting to record',
  FlexCustodyRecording: 'Recording',
  FlexCustodyPaused: 'Recording paused',
  FlexCustodyPausedFor: 'Paused for {{time}}',
  FlexCustodyNotRecorded: 'Not recorded',

  FlexCustodyWhy_rule: 'By rule, this call is not recorded.',
  'FlexCustodyWhy_on-demand': 'This call is recorded only if you start the recording.',
  'FlexCustodyWhy_internal-call': 'Calls between agents are not recorded.',
  'FlexCustodyWhy_flex-recording-off': "Flex's own call recording is switched off for this account.",
  'FlexCustodyWhy_settings-invalid': 'Recording is not set up correctly. Please tell your administrator.',
  'FlexCustodyWhy_accept-failed': 'The request to record failed when the call was accepted.',
  'FlexCustodyWhy_start-failed': 'The recording could not be started.',
  'FlexCustodyWhy_host-unreachable': 'The recording service could not be reached.',
  FlexCustodyWhy_unexpected: 'This call is not recorded because of an unexpected error.',

  FlexCustodyStart: 'Start recording',
  FlexCustodyStartAgain: 'Try again to record',
  FlexCustodyPause: 'Pause recording',
  FlexCustodyPausing: 'Pausing the recording',
  FlexCustodyResume: 'Resume recording',
  FlexCustodyResuming: 'Resuming the recording',

  FlexCustodyFailed_start: 'Recording did not start: {{why}}',
  FlexCustodyFailed_pause: 'Still recording, not paused: {{why}}',
  FlexCustodyFailed_resume: 'Still paused, not resumed: {{why}}',

  FlexCustodyError_pause_disabled: 'pausing is switched off for this account.',
  FlexCustodyError_not_your_call: 'you are not on this call.',
  FlexCustodyError_call_not_live: 'the call is not connected.',
  FlexCustodyError_nothing_recorded: 'nothing is being recorded.',
  FlexCustodyError_token: 'your session is not accepted. Reload the page or sign in again.',
  FlexCustodyError_service: 'the recording service is not set up correctly. Please tell your administrator.',
  FlexCustodyError_twilio: 'Twilio did not accept the request. Please try again.',
  FlexCustodyError_timeout: 'the recording service took too long. Please try again.',
  FlexCustodyError_offline: 'the recording service cannot be reached. Please try again.',
  FlexCustodyError_unexpected: 'an unexpected error occurred. Please try again.',

  FlexCustodyAlert_start: 'This call is not recorded: {{why}}',
  FlexCustodyAlert_follow: 'This call was paused before it came to you, and is recorded now: {{why}}',
  FlexCustodyAlert_double:
    "Calls would be recorded twice: by this plugin, and by Flex's own call recording or another plugin. Switch the other off, or set recording.mode.",
  FlexCustodyAlert_settings:
    'These recording settings cannot be read, so the safe default is used: {{problems}}. See the console for details.',
};

export type StringKey = keyof typeof strings;

export const whyKey = (reason: NotRecordedReason): StringKey => `FlexCustodyWhy_${reason}`;

const failureKeys: Readonly<Partial<Record<Failure, StringKey>>> = {
  pause_disabled: 'FlexCustodyError_pause_disabled',
  not_your_call: 'FlexCustodyError_not_your_call',
  call_not_live: 'FlexCustodyError_call_not_live',
  nothing_recorded: 'FlexCustodyError_nothing_recorded',
  token_missing: 'FlexCustodyError_token',
  token_malformed: 'FlexCustodyError_token',
  token_refused: 'FlexCustodyError_token',
  config_invalid: 'FlexCustodyError_service',
  origin_refused: 'FlexCustodyError_service',
  twilio_unauthorized: 'FlexCustodyError_service',
  twilio_refused: 'FlexCustodyError_twilio',
  twilio_unavailable: 'FlexCustodyError_twilio',
  iam_unavailable: 'FlexCustodyError_twilio',
  timeout: 'FlexCustodyError_timeout',
  offline: 'FlexCustodyError_offline',
};

export const failureKey = (failure: Failure): StringKey =>
  failureKeys[failure] ?? 'FlexCustodyError_unexpected';
