import { type PauseAnswer, parseReport } from '@flex-custody/core';
import { call } from '../testing';
import { doubleReport, joinedReport, notRecordedReport, pauseReport } from './reports';

const now = 1_795_000_000_000;
const stamp = { id: () => '6f1c1f0e-5a4b-4c3d-8e2f-1a2b3c4d5e6f', now: () => now };
const answer = (change: Pick<PauseAnswer, 'state' | 'since'>): PauseAnswer => ({
  recordings: { legs: 1, conference: 0 },
  reported: false,
  marked: true,
  ...change,
});
const { leg: _leg, conferenceSid: _conferenceSid, ...bare } = call();

test.each([
  notRecordedReport(stamp, call(), 'rule'),
  doubleReport(stamp, call()),
  joinedReport(stamp, call()),
  joinedReport(stamp, bare),
  pauseReport(stamp, call(), answer({ state: 'paused', since: now - 5 })),
  pauseReport(stamp, call(), answer({ state: 'recording' })),
])('the host reads $kind as it was written', (report) => {
  expect(parseReport(JSON.parse(JSON.stringify(report)), now)).toEqual(report);
});

test('the end of a pause is reported as that, and a pause at the time when it began', () => {
  const reported = (change: Pick<PauseAnswer, 'state' | 'since'>) =>
    pauseReport(stamp, call(), answer(change));
  expect(reported({ state: 'paused', since: 5 })).toMatchObject({ kind: 'paused', at: 5 });
  expect(reported({ state: 'recording' })).toMatchObject({ kind: 'resumed', at: now });
  expect(pauseReport(stamp, bare, answer({ state: 'recording' }))).toBeUndefined();
});
