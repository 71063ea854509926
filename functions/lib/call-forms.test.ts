import { parseCallControl, parseStart, parseStartStream, parseStopStream } from './call-forms.ts';

const sid = (prefix: string) => prefix + '1'.repeat(32);
const control = { taskSid: sid('WT'), reservationSid: sid('WR') };

test('a request of the plugins is read, and the rest dropped', () => {
  const form = { ...control, conferenceSid: sid('CF') };
  expect(parseCallControl({ ...form, Token: 'x', request: {}, more: 1 })).toEqual(form);
  expect(parseCallControl({ ...control, conferenceSid: '' })).toEqual(control);
});

test.each([
  ['taskSid', { taskSid: undefined }],
  ['taskSid, reservationSid', { taskSid: 'WT1', reservationSid: ['x'] }],
  ['conferenceSid', { conferenceSid: `${sid('CF')}'` }],
])('%s is named where it is missing or malformed, without its value', (names, change) => {
  expect(() => parseCallControl({ ...control, ...change })).toThrow(
    expect.objectContaining({
      code: 'request_invalid',
      status: 400,
      message: `request: missing or malformed ${names}`,
    }),
  );
});

test.each(['callSid', 'call_sid', 'CallSid'])('a stream is of the call in %s', (name) => {
  const callSid = sid('CA');
  expect(parseStartStream({ [name]: callSid, url: 'wss://x', name: 'any' })).toEqual({
    callSid,
    url: 'wss://x',
  });
  expect(parseStopStream({ [name]: callSid, streamSid: sid('MZ'), taskSid: sid('WT') })).toEqual({
    callSid,
    streamSid: sid('MZ'),
    taskSid: sid('WT'),
  });
});

test('of a stream a hint that makes no sense tells nothing', () => {
  const form = { callSid: sid('CA'), taskSid: 'undefined', conferenceSid: 'null' };
  expect(parseStartStream(form)).toEqual({ callSid: sid('CA') });
});

test.each([
  ['callSid', {}],
  ['callSid', { callSid: '', call_sid: '' }],
  ['call_sid', { call_sid: '../CA1' }],
  ['streamSid', { callSid: sid('CA'), streamSid: 'Twilio.CURRENT' }],
])('%s at fault', (name, form) => {
  expect(() => parseStopStream(form)).toThrow(`malformed ${name}`);
});

test('an address is a text of some length', () => {
  for (const url of [1, ['wss://x'], 'x'.repeat(2_049)])
    expect(() => parseStartStream({ callSid: sid('CA'), url })).toThrow('malformed url');
});

test('of a start: what is wanted, and what is known of it', () => {
  expect(parseStart(control)).toEqual({ ...control, want: 'leg', expected: false, paused: false });
  const form = { ...control, want: 'conference', expected: 'true', paused: 'true' };
  expect(parseStart(form)).toEqual({ ...control, want: 'conference', expected: true, paused: true });
  for (const wrong of [{ want: 'all' }, { expected: 'yes' }, { paused: '1' }])
    expect(() => parseStart({ ...control, ...wrong })).toThrow(`malformed ${Object.keys(wrong)[0]}`);
});
