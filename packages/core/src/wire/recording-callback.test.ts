import type { CustodyError } from '../errors.ts';
import { parseIngestRequest, parseRecordingCallback } from './recording-callback.ts';

const sid = (prefix: string, digit = 'a') => prefix + digit.repeat(32);
const form = {
  AccountSid: sid('AC'),
  CallSid: sid('CA'),
  RecordingSid: sid('RE'),
  RecordingUrl: 'https://evil.example/RE',
  RecordingStatus: 'completed',
  taskSid: sid('WT'),
  reservationSid: sid('WR'),
};

const refusal = (bad: Record<string, unknown>): CustodyError => {
  try {
    parseRecordingCallback(bad);
  } catch (error) {
    return error as CustodyError;
  }
  throw new Error('was accepted');
};

test('reads what Twilio sends for a leg recording', () => {
  expect(parseRecordingCallback(form)).toEqual({
    accountSid: sid('AC'),
    callSid: sid('CA'),
    recordingSid: sid('RE'),
    status: 'completed',
    hints: { taskSid: sid('WT'), reservationSid: sid('WR') },
  });
});

test('reads a conference recording, which need not name a call', () => {
  const { CallSid: _none, ...rest } = form;
  expect(parseRecordingCallback({ ...rest, ConferenceSid: sid('CF') })).toMatchObject({
    conferenceSid: sid('CF'),
  });
});

test('reads why a recording is absent', () => {
  expect(parseRecordingCallback({ ...form, RecordingStatus: 'absent', ErrorCode: '16101' })).toMatchObject({
    status: 'absent',
    errorCode: '16101',
  });
});

test('carries no URL: media is found by SIDs alone', () => {
  expect(JSON.stringify(parseRecordingCallback(form))).not.toContain('evil.example');
});

test.each([
  ['AccountSid', undefined],
  ['AccountSid', sid('CA')],
  ['RecordingSid', `${sid('RE')}/../../x`],
  ['RecordingSid', [sid('RE')]],
  ['RecordingStatus', 'done'],
  ['RecordingStatus', undefined],
  ['CallSid', 'CAx'],
  ['ConferenceSid', 'CF'],
  ['ErrorCode', '16101; drop'],
])('refuses a malformed %s and names it without its value', (field, value) => {
  const error = refusal({ ...form, [field]: value });
  expect(error.code).toBe('callback_invalid');
  expect(error.status).toBe(400);
  expect(error.message).toContain(field);
  if (typeof value === 'string') expect(error.message).not.toContain(value);
});

test('names every field at fault at once', () => {
  expect(refusal({}).message).toMatch(/AccountSid, RecordingSid, RecordingStatus/);
});

test("a browser's malformed hint is dropped and the recording kept", () => {
  expect(parseRecordingCallback({ ...form, taskSid: 'WT1', reservationSid: sid('WT') }).hints).toEqual({});
});

const body = {
  accountSid: sid('AC'),
  recordingSid: sid('RE'),
  status: 'absent',
  callSid: sid('CA'),
  conferenceSid: sid('CF'),
  errorCode: '16101',
  hints: { taskSid: sid('WT'), reservationSid: sid('WR') },
};

test('what a Function sends on is read whole, and nothing beside it', () => {
  expect(parseIngestRequest({ ...body, state: 'verified' })).toEqual(body);
  const { errorCode: _, ...parsed } = parseIngestRequest(body);
  expect(parseRecordingCallback({ ...form, RecordingStatus: 'absent', ConferenceSid: sid('CF') })).toEqual(
    parsed,
  );
});

test('of its hints, one that is no SID is dropped; other fields are refused by their names', () => {
  for (const hints of [{ taskSid: "' or 1" }, null, undefined, 'WT'])
    expect(parseIngestRequest({ ...body, hints }).hints).toEqual({});
  expect(() => parseIngestRequest({ ...body, recordingSid: '../x', callSid: 7 })).toThrow(
    'malformed recordingSid, callSid',
  );
  for (const none of [undefined, null, [], 'text', 7])
    expect(() => parseIngestRequest(none)).toThrow(
      expect.objectContaining({ code: 'callback_invalid', status: 400 }),
    );
});
