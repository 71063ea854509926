import type { AccountSid, ReservationSid } from '@flex-custody/core';
import type { DayLedger } from '../recorder/completeness/day-ledger.ts';
import { ledgerText } from './completeness.ts';

const ledger: DayLedger = {
  account: `AC${'1'.repeat(32)}` as AccountSid,
  ...{ day: '2026-11-28', timeZone: 'Europe/Madrid' },
  from: '2026-11-27T23:00:00.000Z',
  to: '2026-11-28T23:00:00.000Z',
  ...{ contacts: 4, open: 1, erased: 1, explained: [], unexplained: [] },
  outcomes: {
    ...{ recorded: 2, paused: 0, 'not-accepted': 0, unanswered: 0, text: 0 },
    ...{ 'work-item': 0, survey: 0, 'after-last-agent': 0, explained: 0, unexplained: 0 },
  },
};

test('counts by outcome; the unexplained segments have a table of their own', () => {
  const lines = ledgerText(ledger).split('\n');
  expect(lines.slice(0, 5).map((line) => line.trim())).toEqual([
    '2026-11-28 in Europe/Madrid: 2026-11-27T23:00:00.000Z to 2026-11-28T23:00:00.000Z',
    '4 contacts, 1 of them open; 1 of the recorded segments are erased',
    '',
    'OUTCOME           SEGMENTS',
    'recorded                 2',
  ]);
  expect(lines).toHaveLength(14);
  const reservationSid = `WR${'2'.repeat(32)}` as ReservationSid;
  const [startedAt, endedAt] = [new Date('2026-11-28T09:00:00Z'), new Date('2026-11-28T09:01:30Z')];
  const unexplained = [{ contact: 'WT', reservationSid, startedAt, endedAt }];
  expect(
    ledgerText({ ...ledger, unexplained })
      .split('\n')
      .at(-1),
  ).toMatch(new RegExp(`^${reservationSid}  -     -       2026-11-28T09:00:00.000Z       90$`));
});

test('reasons have a table: who gave which, when, and what made one moot', () => {
  const [startedAt, endedAt] = [new Date('2026-11-28T09:00:00Z'), new Date('2026-11-28T09:01:30Z')];
  const one = { contact: 'WT', startedAt, endedAt, explainedBy: 'ada on host', explainedAt: endedAt };
  const explained: DayLedger['explained'] = [
    {
      ...one,
      ...{ reservationSid: `WR${'1'.repeat(32)}` as ReservationSid, outcome: 'explained', reason: 'network' },
      comment: 'seen \u001b[31m',
    },
    {
      ...one,
      ...{ reservationSid: `WR${'2'.repeat(32)}` as ReservationSid, outcome: 'recorded', reason: 'archive' },
    },
  ];
  const lines = ledgerText({ ...ledger, explained })
    .split('\n')
    .slice(15);
  expect(lines.map((line) => line.split(/ {2,}/).slice(1))).toEqual([
    ['REASON', 'BY', 'AT', 'COMMENT'],
    ['network', 'ada on host', '2026-11-28T09:01:30.000Z', 'seen ?[31m'],
    ['archive (moot: recorded)', 'ada on host', '2026-11-28T09:01:30.000Z', '-'],
  ]);
});
