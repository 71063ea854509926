import { recordingCallbackUrl } from '@flex-custody/core';
import { call } from '../testing';
import { acceptOptions, saysRecord } from './accept-options';
import type { Plan } from './plan';

const url = recordingCallbackUrl('https://functions.example', call());
const flex = { endConferenceOnExit: true, endConferenceOnCustomerExit: true };
const flexRecords = {
  ...flex,
  conferenceRecord: true,
  conferenceRecordingStatusCallback: 'https://webhooks.twilio.com/v1/FlexRecordingWebhook',
  conferenceRecordingStatusCallbackMethod: 'POST',
};
const plan = (leg: boolean, conference: boolean): Plan => ({
  record: true,
  leg,
  conference,
  start: 'accept',
});
const leg = {
  record: 'true',
  recordingChannels: 'dual',
  recordingStatusCallback: url,
  recordingStatusCallbackMethod: 'POST',
};

test('the callback carries task and reservation, and ends in what Twilio is to retry', () => {
  expect(url).toBe(
    `https://functions.example/recording-status-callback?taskSid=WT${'1'.repeat(32)}&reservationSid=WR${'1'.repeat(32)}#rc=5&rp=all`,
  );
  expect(new URL(url).hash).toBe('#rc=5&rp=all');
});

test("ours: the leg is recorded, with the string that TaskRouter takes; Flex's own recording is off", () => {
  expect(acceptOptions(plan(true, false), flexRecords, url)).toEqual({
    ...flex,
    conferenceRecord: false,
    ...leg,
  });
});

test("theirs: Flex's own recording stays, and reports to us", () => {
  expect(acceptOptions(plan(false, true), flexRecords, url)).toEqual({
    ...flexRecords,
    conferenceRecordingStatusCallback: url,
  });
});

test('both', () => {
  expect(acceptOptions(plan(true, true), flexRecords, url)).toEqual({
    ...flexRecords,
    conferenceRecordingStatusCallback: url,
    ...leg,
  });
});

test.each(['rule', 'on-demand', 'internal-call'] as const)(
  'not recorded (%s) means by nobody, another plugin included',
  (reason) => {
    const options = { ...flexRecords, record: 'true', recordingStatusCallback: 'https://other.example' };
    expect(acceptOptions({ record: false, reason }, options, url)).toEqual({
      ...flex,
      conferenceRecord: false,
    });
  },
);

test.each(['settings-invalid', 'flex-recording-off'] as const)('%s leaves the acceptance alone', (reason) => {
  expect(acceptOptions({ record: false, reason }, flexRecords, url)).toBeUndefined();
});

test('options that are not ours are kept and not changed in place', () => {
  const options = Object.freeze({ ...flex, region: 'ie1', beep: 'false' });
  expect(acceptOptions(plan(true, false), options, url)).toMatchObject({ region: 'ie1', beep: 'false' });
});

test.each([
  [true, true],
  ['true', true],
  ['record-from-start', true],
  [false, false],
  ['false', false],
  ['do-not-record', false],
  [undefined, false],
])('%p says record: %p', (option, says) => {
  expect(saysRecord(option)).toBe(says);
});
