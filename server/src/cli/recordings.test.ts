import type { RecordingSid } from '@flex-custody/core';
import type { RecordingRow } from '../catalog/recording-row.ts';
import type { OperatorApi, Retried } from '../http/operators/operator-api.ts';
import { listText, retryAll, retryText } from './recordings.ts';

const RE = `RE${'0a'.repeat(16)}` as RecordingSid;
const row = {
  recordingSid: RE,
  startedAt: new Date('2026-01-02T03:04:05Z'),
  state: 'failed',
  linkState: 'pending',
  durationSeconds: 30,
  failure: 'media_missing',
} as RecordingRow;
const api = (answers: Partial<OperatorApi>) => answers as OperatorApi;

test.each<[Retried, string]>([
  [
    { begun: ['verify', 'link'], state: 'sealed', linkState: 'pending' },
    'it is verified again, it is linked again.',
  ],
  [{ begun: ['copy'], state: 'registered', linkState: 'linked' }, 'it is copied again.'],
  [{ begun: [], state: 'absent', linkState: 'linked' }, 'is absent and linked: nothing to retry.'],
])('a retry says what was begun: %j', (retried, text) => {
  expect(retryText(RE, retried)).toContain(text);
});

test('below its headers a line has state, proof, link, length and reason', () => {
  const proof = { at: '', host: 'h', by: 'copy', how: 'sha256' } as const;
  const verified = { ...row, state: 'verified', proof, failure: undefined } as unknown as RecordingRow;
  expect(listText([row, verified]).split('\n')).toEqual([
    'RECORDING                           STARTED                   STATE     PROVEN  LINK     SECONDS  REASON',
    `${RE}  2026-01-02T03:04:05.000Z  failed    -       pending       30  media_missing`,
    `${RE}  2026-01-02T03:04:05.000Z  verified  yes     pending       30  -`,
  ]);
});

test('of a recording that failed by an outage it says that it is tried again', () => {
  expect(listText([{ ...row, failure: 'store_unavailable' }])).toMatch(
    /store_unavailable \(tried again hourly\)$/,
  );
  expect(listText([row])).toMatch(/media_missing$/);
});

test('all of them are started over, however many', async () => {
  const asked: unknown[] = [];
  const answers = [{ retried: 200, next: RE }, { retried: 7 }];
  const all = api({
    retryAll: async (of) => {
      asked.push(of);
      return answers.shift() ?? { retried: 0 };
    },
  });
  expect(await retryAll(all, 'media_short')).toBe(207);
  expect(asked).toEqual([{ reason: 'media_short' }, { reason: 'media_short', after: RE }]);
});
