import type { AccountSid, ReservationSid } from '@flex-custody/core';
import type { DayLedger } from '../recorder/completeness/day-ledger.ts';
import { statementType } from '../recorder/completeness/statements.ts';
import { testSigning } from '../signing/testing/identity.ts';
import { buildProgram, run } from './program.ts';
import { differencesOf, readStatement, statementText } from './verify-statement.ts';

const account = `AC${'1'.repeat(32)}` as AccountSid;
const signing = testSigning();
const segment = (n: number) => ({
  contact: 'WT',
  reservationSid: `WR${String(n).repeat(32)}` as ReservationSid,
  ...{ startedAt: new Date('2026-11-28T09:00:00Z'), endedAt: new Date('2026-11-28T09:01:30Z') },
});
const explained = (n: number) => ({
  ...({ ...segment(n), outcome: 'explained', reason: 'test-call' } as const),
  ...{ explainedBy: 'ada', explainedAt: new Date('2026-11-29T09:00:00Z') },
});
const ledger: DayLedger = {
  ...{ account, day: '2026-11-28', timeZone: 'Europe/Madrid' },
  ...{ from: '2026-11-27T23:00:00.000Z', to: '2026-11-28T23:00:00.000Z' },
  ...{ contacts: 4, open: 1, erased: 1, explained: [], unexplained: [segment(1)] },
  outcomes: {
    ...{ recorded: 2, paused: 0, 'not-accepted': 0, unanswered: 0, text: 0 },
    ...{ 'work-item': 0, survey: 0, 'after-last-agent': 0, explained: 0, unexplained: 1 },
  },
};
const wanted = { account, day: '2026-11-28' };

/** As the job writes it into the bucket. */
async function written(statement: object, type = statementType): Promise<string> {
  const [header, payload, signature] = (await signing.sign(type, JSON.stringify(statement))).split('.');
  return JSON.stringify({ protected: header, payload, signature });
}

test('a statement that the ledger still agrees with', async () => {
  const { statement, keyId } = await readStatement(
    await written({ ...ledger, eventsUntil: '2026-11-29T02:00:00.000Z' }),
    signing,
  );
  const differences = differencesOf(statement, wanted, ledger);
  expect(differences).toEqual([]);
  expect(statementText(statement, keyId, differences).split('\n')).toEqual([
    `statement of 2026-11-28 for ${account}, signed by the key ${keyId}; events until 2026-11-29T02:00:00.000Z`,
    'The ledger computed now says the same.',
  ]);
});

test('each difference, as it was stated and as it is now', async () => {
  const { statement } = await readStatement(await written(ledger), signing);
  const later = {
    ...{ ...ledger, contacts: 5, erased: 2, unexplained: [segment(2)] },
    explained: [explained(3)],
    outcomes: { ...ledger.outcomes, recorded: 3 },
  };
  const differences = differencesOf(statement, { account: 'AC2', day: '2026-11-27' }, later);
  expect(differences).toEqual([
    { what: 'account', stated: account, now: 'AC2' },
    { what: 'day', stated: '2026-11-28', now: '2026-11-27' },
    { what: 'contacts', stated: 4, now: 5 },
    { what: 'erased', stated: 1, now: 2 },
    { what: 'outcomes.recorded', stated: 2, now: 3 },
    { what: 'unexplained', stated: [segment(1).reservationSid], now: [segment(2).reservationSid] },
    { what: 'explained', stated: [], now: [`${segment(3).reservationSid} test-call`] },
  ]);
  expect(statementText(statement, 'k', differences)).toMatch(/outcomes.recorded +2 +3$/m);
});

test('one that was altered, signed by a stranger or as another kind is refused', async () => {
  const { payload, ...rest } = JSON.parse(await written(ledger)) as Record<string, string>;
  const altered = Buffer.from(JSON.stringify({ ...ledger, contacts: 9 })).toString('base64url');
  const untrusted = { code: 'signature_untrusted' };
  await expect(readStatement(JSON.stringify({ ...rest, payload: altered }), signing)).rejects.toMatchObject(
    untrusted,
  );
  await expect(readStatement(await written(ledger), testSigning())).rejects.toMatchObject(untrusted);
  await expect(readStatement(await written(ledger, 'sidecar+jws'), signing)).rejects.toMatchObject(untrusted);
  for (const text of ['', '{}', '[]', JSON.stringify({ ...rest, payload: 7 })])
    await expect(readStatement(text, signing)).rejects.toMatchObject({ code: 'file_unreadable' });
});

test('a ledger needs a day, and a statement a file', async () => {
  jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const said = jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
  const program = () => buildProgram({ version: '1', serve: async () => undefined, more: [] });
  const code = (...words: string[]) => run(program(), ['node', 'flex-custody', 'completeness', ...words]);
  expect(await code()).toBe(2);
  expect(await code('verify')).toBe(2);
  expect(await code('verify', 'missing.json', '--day', 'soon')).toBe(2);
  said.mockRestore();
  jest.restoreAllMocks();
});
