import {
  callControlForm,
  parseCallControlRequest,
  parseStartRecordingRequest,
  readCallControlError,
  readPauseAnswer,
  readStartRecordingAnswer,
} from './call-control.ts';

const sid = (prefix: string) => prefix + '1'.repeat(32);
const control = { taskSid: sid('WT'), reservationSid: sid('WR') };

test('a request of the plugins is read, and the rest dropped', () => {
  const form = { ...control, conferenceSid: sid('CF') };
  expect(parseCallControlRequest({ ...form, Token: 'x', request: {}, more: 1 })).toEqual(form);
  expect(parseCallControlRequest({ ...control, conferenceSid: '' })).toEqual(control);
});

test.each([
  ['taskSid', { taskSid: undefined }],
  ['taskSid, reservationSid', { taskSid: 'WT1', reservationSid: ['x'] }],
  ['conferenceSid', { conferenceSid: `${sid('CF')}'` }],
])('%s is named where it is missing or malformed, without its value', (names, change) => {
  expect(() => parseCallControlRequest({ ...control, ...change })).toThrow(
    expect.objectContaining({
      code: 'request_invalid',
      status: 400,
      message: `request: missing or malformed ${names}`,
    }),
  );
});

test('of a start: what is wanted, and what is known of it', () => {
  expect(parseStartRecordingRequest(control)).toEqual({
    ...control,
    want: 'leg',
    expected: false,
    paused: false,
  });
  const form = { ...control, want: 'conference', expected: 'true', paused: 'true' };
  expect(parseStartRecordingRequest(form)).toEqual({
    ...control,
    want: 'conference',
    expected: true,
    paused: true,
  });
  for (const wrong of [{ want: 'all' }, { expected: 'yes' }, { paused: '1' }])
    expect(() => parseStartRecordingRequest({ ...control, ...wrong })).toThrow(
      `malformed ${Object.keys(wrong)[0]}`,
    );
});

test('a request is read as it was written', () => {
  const request = parseCallControlRequest({ ...control, conferenceSid: sid('CF') });
  expect(parseCallControlRequest(callControlForm('t', request))).toEqual(request);
  for (const wish of [
    { want: 'leg' as const, expected: false, paused: false },
    { want: 'conference' as const, expected: true, paused: true },
  ])
    expect(parseStartRecordingRequest(callControlForm('t', { ...request, ...wish }))).toEqual({
      ...request,
      ...wish,
    });
});

test('an answer to a start', () => {
  const answer = { recordingSid: sid('RE'), callSid: sid('CA'), started: false, of: 'conference' };
  expect(readStartRecordingAnswer({ ...answer, more: 1 })).toEqual(answer);
  expect(readStartRecordingAnswer({ ...answer, of: undefined })).toEqual({ ...answer, of: 'leg' });
  for (const wrong of [{ recordingSid: 'RE1' }, { callSid: undefined }, { started: 'true' }])
    expect(readStartRecordingAnswer({ ...answer, ...wrong })).toBeUndefined();
});

test('an answer to a pause: what it does not say was done is not done', () => {
  const answer = {
    state: 'paused',
    since: 5,
    recordings: { legs: 2, conference: 1 },
    reported: true,
    marked: true,
  };
  expect(readPauseAnswer(answer)).toEqual(answer);
  expect(readPauseAnswer({ state: 'recording', recordings: { legs: -1 }, marked: 'yes' })).toEqual({
    state: 'recording',
    recordings: { legs: 0, conference: 0 },
    reported: false,
    marked: false,
  });
  for (const wrong of [null, {}, { ...answer, state: 'in-progress' }])
    expect(readPauseAnswer(wrong)).toBeUndefined();
});

test('a refusal has a code that is known, or none', () => {
  expect(readCallControlError({ error: 'not_your_call' })).toBe('not_your_call');
  for (const body of [{ error: 'constructor' }, { error: 7 }, '<html>', undefined])
    expect(readCallControlError(body)).toBe('unexpected');
});
