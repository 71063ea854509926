import { parseStartStreamRequest, parseStopStreamRequest, parseVoiceTokenRequest } from './voice-streams.ts';

const sid = (prefix: string) => prefix + '1'.repeat(32);

test.each(['callSid', 'call_sid', 'CallSid'])('a stream is of the call in %s', (name) => {
  const callSid = sid('CA');
  expect(parseStartStreamRequest({ [name]: callSid, url: 'wss://x', name: 'any' })).toEqual({
    callSid,
    url: 'wss://x',
  });
  expect(parseStopStreamRequest({ [name]: callSid, streamSid: sid('MZ'), taskSid: sid('WT') })).toEqual({
    callSid,
    streamSid: sid('MZ'),
    taskSid: sid('WT'),
  });
});

test('of a stream a hint that makes no sense tells nothing', () => {
  const form = { callSid: sid('CA'), taskSid: 'undefined', conferenceSid: 'null' };
  expect(parseStartStreamRequest(form)).toEqual({ callSid: sid('CA') });
});

test.each([
  ['callSid', {}],
  ['callSid', { callSid: '', call_sid: '' }],
  ['call_sid', { call_sid: '../CA1' }],
  ['streamSid', { callSid: sid('CA'), streamSid: 'Twilio.CURRENT' }],
])('%s at fault', (name, form) => {
  expect(() => parseStopStreamRequest(form)).toThrow(`malformed ${name}`);
});

test('an address is a text of some length', () => {
  for (const url of [1, ['wss://x'], 'x'.repeat(2_049)])
    expect(() => parseStartStreamRequest({ callSid: sid('CA'), url })).toThrow('malformed url');
});

test('of the call that a token is for, what makes no sense tells nothing', () => {
  expect(parseVoiceTokenRequest({ Token: 't' })).toEqual({});
  expect(parseVoiceTokenRequest({ callSid: sid('CA'), taskSid: '', conferenceSid: 'null' })).toEqual({
    callSid: sid('CA'),
  });
});
