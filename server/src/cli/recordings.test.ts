import type { RecordingSid } from '@flex-custody/core';
import type { RecordingRow } from '../catalog/recording-row.ts';
import type { OperatorApi, Retried } from '../http/operators/operator-api.ts';
import { failureLine, line, retry, retryAll, revokeLink, show } from './recordings.ts';

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
])('a retry says what was begun: %j', async (retried, text) => {
  expect(await retry(api({ retry: async () => retried }), RE)).toContain(text);
});

test('revoking says what no longer plays', async () => {
  expect(await revokeLink(api({ revokeLink: async () => ({ generation: 1 }) }), RE)).toContain(
    'no longer play',
  );
});

test('one line tells state, proof, link, length and reason', async () => {
  expect(line(row)).toBe(
    `${RE}  2026-01-02T03:04:05.000Z  failed      -       pending     30 s  media_missing`,
  );
  const proof = { at: '', host: 'h', by: 'copy', how: 'sha256' } as const;
  expect(line({ ...row, state: 'verified', proof })).toContain('  verified    proven  pending  ');
  expect(JSON.parse(await show(api({ show: async () => row }), RE))).toMatchObject({
    recordingSid: RE,
    state: 'failed',
  });
});

test('a dead letter of an outage is said to be tried again; the others wait for somebody', () => {
  expect(failureLine({ ...row, failure: 'store_unavailable' })).toMatch(
    /store_unavailable \(tried again hourly\)$/,
  );
  expect(failureLine(row)).toMatch(/media_missing$/);
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
