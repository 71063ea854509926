import { CustodyError, errorTable, isErrorCode } from '@flex-custody/core';
import { explain } from '../../start/explain.ts';

/** `note`: nothing is broken, but an operator may want to know or to act. */
export type Level = 'ok' | 'note' | 'fix';

export interface Finding {
  group: string;
  name: string;
  level: Level;
  detail: string;
  /** The next step; empty if there is none. */
  next: string;
}

/** The result of a check: a text is ok, an object is a note. A check throws what must be fixed as {@link advice}. */
export type Seen = string | { detail: string; next: string };

/** What must be fixed: what is wrong, and its next step. */
export class Advice extends CustodyError {
  constructor(
    readonly detail: string,
    readonly next: string,
  ) {
    super('doctor', `${detail}: ${next}`);
  }
}

export const advice = (detail: string, next: string): Advice => new Advice(detail, next);
export const note = (detail: string, next = ''): Seen => ({ detail, next });
/** For a check that cannot run before another one is ok. */
export const unknownBefore = (check: string): Seen => note('not known', fixFirst(check));
export const fixFirst = (...checks: readonly string[]): string =>
  `Fix ${checks.map((check) => `"${check}"`).join(' and ')} first.`;

const command = /^(aws|chmod|chown|docker|flex-custody|npm|npx|openssl|ps|tasklist|twilio) /;

/** A next step as a sentence, unless it begins with a command. */
export function asStep(next: string): string {
  if (next === '' || command.test(next)) return next;
  return `${next.charAt(0).toUpperCase()}${next.slice(1)}${/[.!?]$/.test(next) ? '' : '.'}`;
}

/** For outages, by error code: how to see whether they are over. */
const passing: Readonly<Record<string, string>> = {
  twilio_unavailable:
    'see https://status.twilio.com, and check that https://api.twilio.com is reached from here: firewall, HTTPS_PROXY',
  database_unavailable:
    'check that PostgreSQL runs and is reached from here: psql "$DATABASE_URL" -c "SELECT 1"',
};

/** Splits an error into what is wrong and what to do; messages of other rooms are `fault: next step` or `fault; next step`. */
export function diagnosis(error: unknown): { detail: string; next: string } {
  if (error instanceof Advice) return { detail: error.detail, next: error.next };
  const text = explain(error) ?? (error instanceof Error ? error.message : String(error));
  const code = error instanceof CustodyError ? error.code : '';
  const next = passing[code];
  if (next !== undefined) return { detail: text, next };
  // Splits at the last colon that is not inside a URL or an address.
  const cut = Math.max(text.lastIndexOf(': '), text.lastIndexOf('; '));
  if (cut < 0)
    return { detail: text, next: (isErrorCode(code) && errorTable[code][3]) || 'read the log of the host' };
  return { detail: text.slice(0, cut), next: text.slice(cut + 2) };
}

/** Parses an answer; undefined if it is not JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
