import { CustodyError, isObject, jsonFields } from '@flex-custody/core';
import { loadPartOfConfig } from '../config.ts';
import type { DayLedger } from '../recorder/completeness/day-ledger.ts';
import { statementType } from '../recorder/completeness/statements.ts';
import type { SigningIdentity } from '../signing/identity.ts';
import { loadSigning } from '../signing/load.ts';
import { readText } from './file-input.ts';
import { forTerminal } from './for-terminal.ts';
import { table } from './output.ts';

/** What a statement says, as it was signed. */
export type Statement = Readonly<Record<string, unknown>>;

export interface Difference {
  /** Such as `account`, `outcomes.recorded`, or `unexplained` with the SIDs of reservations. */
  what: string;
  stated: unknown;
  /** By the setting, the option or the ledger of today. */
  now: unknown;
}

/**
 * The signed content of a statement from the bucket.
 * @throws CustodyError `file_unreadable` if it is no statement, `signature_untrusted` if no key of this host signed it
 */
export async function readStatement(
  text: string,
  signing: Pick<SigningIdentity, 'verify'>,
): Promise<{ statement: Statement; keyId: string }> {
  const parts = jsonFields(text.trim());
  const jws = ['protected', 'payload', 'signature'].map((name) => parts[name]);
  if (!jws.every((part) => typeof part === 'string'))
    throw new CustodyError('file_unreadable', 'it is no statement of completeness, as the bucket has them');
  const { payload, keyId } = await signing.verify(statementType, jws.join('.'));
  return { statement: jsonFields(payload), keyId };
}

/** In what a statement differs from the ledger of its day, as computed now, and from the account and day that were expected. */
export function differencesOf(
  statement: Statement,
  expected: { account: string; day: string },
  ledger: DayLedger,
): Difference[] {
  const stated = (name: string): unknown => statement[name];
  const outcomes = isObject(statement['outcomes']) ? statement['outcomes'] : {};
  const pairs: [string, unknown, unknown][] = [
    ['account', stated('account'), expected.account],
    ['day', stated('day'), expected.day],
    ...(['timeZone', 'from', 'to', 'contacts', 'open', 'erased'] as const).map(
      (name): [string, unknown, unknown] => [name, stated(name), ledger[name]],
    ),
    ...Object.entries(ledger.outcomes).map(([name, count]): [string, unknown, unknown] => [
      `outcomes.${name}`,
      outcomes[name] ?? 0,
      count,
    ]),
    ['unexplained', reservationsOf(stated('unexplained')), reservationsOf(ledger.unexplained)],
    ['explained', reasonsOf(stated('explained')), reasonsOf(ledger.explained)],
  ];
  return pairs
    .filter(([, before, now]) => JSON.stringify(before) !== JSON.stringify(now))
    .map(([what, before, now]) => ({ what, stated: before, now }));
}

const reservationsOf = (list: unknown): unknown[] =>
  (Array.isArray(list) ? list : [])
    .map((one: unknown) => (isObject(one) ? (one['reservationSid'] ?? one['contact']) : undefined))
    .sort();

/** Such as `WR… test-call`, of each segment with a reason. */
const reasonsOf = (list: unknown): string[] =>
  (Array.isArray(list) ? list : [])
    .flatMap((one: unknown) =>
      isObject(one) ? `${String(one['reservationSid'])} ${String(one['reason'])}` : [],
    )
    .sort();

export async function verifyStatementFile(
  file: string,
  day: string | undefined,
  ledgerOf: (day: string) => Promise<DayLedger>,
): Promise<{ statement: Statement; keyId: string; differences: Difference[] }> {
  const { accountSid: account, signing } = loadPartOfConfig(['accountSid', 'signing']);
  const read = await readStatement(await readText(file), loadSigning(signing));
  const wanted = day ?? read.statement['day'];
  if (typeof wanted !== 'string') throw new CustodyError('file_unreadable', 'the statement names no day');
  return {
    ...read,
    differences: differencesOf(read.statement, { account, day: wanted }, await ledgerOf(wanted)),
  };
}

/** For a person. */
export function statementText(
  { day, account, eventsUntil }: Statement,
  keyId: string,
  differences: readonly Difference[],
): string {
  const show = (value: unknown): string =>
    forTerminal(Array.isArray(value) ? value.join(' ') || 'none' : String(value));
  return [
    `statement of ${show(day)} for ${show(account)}, signed by the key ${keyId}; events until ${show(eventsUntil)}`,
    ...(differences.length === 0
      ? ['The ledger computed now says the same.']
      : [
          '',
          ...table(
            ['DIFFERENCE', 'STATED', 'NOW'],
            differences.map(({ what, stated, now }) => [what, show(stated), show(now)]),
          ),
        ]),
  ].join('\n');
}
