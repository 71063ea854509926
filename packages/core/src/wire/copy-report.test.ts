import { parseCopyReport } from './copy-report.ts';

const object = {
  key: 'recordings/a/b',
  mode: 'envelope',
  versionId: 'v1',
  etag: '"e1"',
  bytes: 1_000_800,
  plaintextBytes: 1_000_000,
  plaintextSha256: 'a'.repeat(64),
  keyId: 'k1',
};
const sealed = { outcome: 'sealed', lease: 'l', object, channels: 2, tookMs: 12 };

test('the digests of parts, by which a host proves its own copies, are taken of no Function', () => {
  const parts = { bytes: 8_388_608, sha256: ['a'.repeat(64)] };
  const said = { ...sealed, object: { ...sealed.object, parts } };
  expect(parseCopyReport(said)).toEqual(sealed);
});

test.each([
  sealed,
  { ...sealed, object: { ...object, versionId: undefined } },
  { outcome: 'handed-back', lease: 'l', reason: 'too-long' },
  { outcome: 'failed', lease: 'l', code: 'media_cut', retryable: false },
  { outcome: 'forwarded' },
])('the report %j is read', (report) => {
  expect(parseCopyReport(JSON.parse(JSON.stringify(report)))).toEqual(report);
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
  const read = () => parseCopyReport(report);
  expect(read).toThrow(name);
  expect(read).not.toThrow(/hunter2|bored|a b/);
});

test('what is no object is refused', () => {
  for (const body of [undefined, null, [], 'text', 7])
    expect(() => parseCopyReport(body)).toThrow(
      expect.objectContaining({ code: 'copy_report_invalid', status: 400 }),
    );
});
