import { readSidecar, type Sidecar, sidecarKey } from './sidecar.ts';
import type { AccountSid, RecordingSid } from './sids.ts';

const account = `AC${'a'.repeat(32)}` as AccountSid;
const recording = `RE${'b'.repeat(32)}` as RecordingSid;
const sidecar: Sidecar = {
  version: 1,
  recordingSid: recording,
  accountSid: account,
  channels: 2,
  durationSeconds: 30,
  startedAt: '2026-11-01T08:00:00.000Z',
  source: 'callback',
  object: {
    key: `recordings/${account}/${recording}`,
    mode: 'envelope',
    etag: '"e"',
    bytes: 100,
    plaintextBytes: 50,
    plaintextSha256: 'c'.repeat(64),
    keyId: 'k1',
  },
  verifiedAt: '2026-11-01T08:01:00.000Z',
};

const analysis = { version: 1, seconds: 30, peaks: { windowMs: 100, channels: ['AA=='] } } as const;

test.each([null, { ...analysis, peaks: { windowMs: 100, channels: ['AA=='] } }])(
  'with what was heard in it: %p',
  (heard) => {
    expect(readSidecar(JSON.stringify({ ...sidecar, analysis: heard }))).toMatchObject({ analysis: heard });
  },
);

test('it lies beside its recording, and reads back as it was written', () => {
  expect(sidecarKey(account, recording)).toBe(`recordings/${account}/${recording}.json`);
  expect(readSidecar(JSON.stringify(sidecar))).toEqual(sidecar);
});

test.each<[string, unknown]>([
  ['no JSON', undefined],
  ['no object', [sidecar]],
  ['a newer program', { ...sidecar, version: 2 }],
  ['recordingSid', { ...sidecar, recordingSid: 'RE1' }],
  ['taskSid', { ...sidecar, taskSid: recording }],
  ['startedAt', { ...sidecar, startedAt: 'yesterday' }],
  ['verifiedAt', { ...sidecar, verifiedAt: 7 }],
  ['channels', { ...sidecar, channels: 3 }],
  ['analysis', { ...sidecar, analysis: { ...analysis, seconds: -1 } }],
  ['analysis', { ...sidecar, analysis: { ...analysis, talk: {} } }],
  ['analysis', { ...sidecar, analysis: { ...analysis, peaks: { windowMs: 100, channels: [1] } } }],
  ['object', { ...sidecar, object: { ...sidecar.object, bytes: -0.5 } }],
])('%s is refused by its name', (name, json) => {
  const text = json === undefined ? '{' : JSON.stringify(json);
  expect(() => readSidecar(text)).toThrow(name);
});

test.each(['k3f9a2b1c:digest', 'digest'])(
  'a caller is read with the name of its secret or without: %s',
  (caller) => {
    expect(readSidecar(JSON.stringify({ ...sidecar, caller })).caller).toBe(caller);
  },
);
