import { sealedObject } from '../testing/house.ts';
import { sids } from '../testing/scene.ts';
import { readCallback, readRecordingSid, readReport } from './read.ts';

const sid = sids.recording(1);
const callback = {
  accountSid: sids.account,
  recordingSid: sid,
  status: 'completed',
  callSid: sids.leg,
  conferenceSid: sids.conference,
  errorCode: '16101',
  hints: { taskSid: sids.task, reservationSid: sids.reservation },
};

test('a callback is read whole, and nothing beside it', () => {
  expect(
    readCallback(JSON.stringify({ ...callback, state: 'verified', __proto__: { admin: true } })),
  ).toEqual(callback);
});

test('a hint that is no SID is dropped; a SID that is none is refused by name', () => {
  expect(readCallback(JSON.stringify({ ...callback, hints: { taskSid: "' or 1" } })).hints).toEqual({});
  expect(readCallback(JSON.stringify({ ...callback, hints: null })).hints).toEqual({});
  expect(() => readCallback(JSON.stringify({ ...callback, recordingSid: '../x', callSid: 7 }))).toThrow(
    /RecordingSid, CallSid|CallSid/,
  );
});

test.each(['', 'null', '[]', '"text"', '{', '7'])('the body %j is refused', (text) => {
  expect(() => readCallback(text)).toThrow(
    expect.objectContaining({ code: 'callback_invalid', status: 400 }),
  );
  expect(() => readReport(text)).toThrow(
    expect.objectContaining({ code: 'copy_report_invalid', status: 400 }),
  );
});

const sealed = { outcome: 'sealed', lease: 'l', object: sealedObject(sid), channels: 2, tookMs: 12 };

test('the digests of parts, by which a host proves its own copies, are taken of no Function', () => {
  const parts = { bytes: 8_388_608, sha256: ['a'.repeat(64)] };
  const said = { ...sealed, object: { ...sealed.object, parts } };
  expect(readReport(JSON.stringify(said))).toEqual(sealed);
});

test.each([
  sealed,
  { ...sealed, object: { ...sealedObject(sid), versionId: undefined } },
  { outcome: 'handed-back', lease: 'l', reason: 'too-long' },
  { outcome: 'failed', lease: 'l', code: 'media_cut', retryable: false },
  { outcome: 'forwarded' },
])('the report %j is read', (report) => {
  const text = JSON.stringify(report);
  expect(readReport(text)).toEqual(JSON.parse(text));
});

test.each<[string, object]>([
  ['outcome', { outcome: 'verified' }],
  ['lease', { ...sealed, lease: '' }],
  ['channels', { ...sealed, channels: '2' }],
  ['tookMs', { ...sealed, tookMs: -1 }],
  ['object.key', { ...sealed, object: { ...sealed.object, key: 'a b' } }],
  ['object.bytes', { ...sealed, object: { ...sealed.object, bytes: 1.5 } }],
  ['object.plaintextSha256', { ...sealed, object: { ...sealed.object, plaintextSha256: 'A'.repeat(64) } }],
  ['object.versionId', { ...sealed, object: { ...sealed.object, versionId: 7 } }],
  ['object.mode', { ...sealed, object: 'none' }],
  ['reason', { outcome: 'handed-back', lease: 'l', reason: 'bored' }],
  ['code', { outcome: 'failed', lease: 'l', code: 'a secret: hunter2', retryable: true }],
  ['retryable', { outcome: 'failed', lease: 'l', code: 'x' }],
])('a report with a bad %s is refused by that name, without its value', (name, report) => {
  const read = () => readReport(JSON.stringify(report));
  expect(read).toThrow(name);
  expect(read).not.toThrow(/hunter2|bored|a b/);
});

test('a recording SID in the path is checked', () => {
  expect(readRecordingSid(sid)).toBe(sid);
  expect(() => readRecordingSid('RE1')).toThrow(expect.objectContaining({ status: 400 }));
});
