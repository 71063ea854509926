import { errorCode, errorTable, isErrorCode } from '@flex-custody/core';

/** `note`: it works, and an operator may want to know or to act. */
export type Level = 'ok' | 'note' | 'fix';

/** What a check found. */
export interface Verdict {
  level: Level;
  detail: string;
  /** The next step; empty where there is none. */
  next: string;
}

export interface ConnectorCheck {
  name: string;
  look(signal: AbortSignal): Promise<Verdict>;
}

export const ok = (detail: string): Verdict => ({ level: 'ok', detail, next: '' });
export const note = (detail: string, next = ''): Verdict => ({ level: 'note', detail, next });
export const fix = (detail: string, next: string): Verdict => ({ level: 'fix', detail, next });

/** What a check that failed with an error found: our own codes have their next step. */
export function failed(error: unknown): Verdict {
  const code = errorCode(error);
  const message = error instanceof Error && code !== 'unexpected' ? error.message : 'it failed unexpectedly';
  return fix(message, (isErrorCode(code) && errorTable[code][3]) || "read the host's log");
}

const arrow = ' → ';

/** A verdict as one line, such as a run keeps it. */
export const lineOf = ({ level, detail, next }: Verdict): string =>
  `${level}: ${detail}${next === '' ? '' : arrow}${next}`;

/** The verdict of such a line. */
export function verdictOf(line: string): Verdict {
  const [, level = 'note', rest = line] = /^(ok|note|fix): (.*)$/s.exec(line) ?? [];
  const at = rest.indexOf(arrow);
  const [detail, next] = at < 0 ? [rest, ''] : [rest.slice(0, at), rest.slice(at + arrow.length)];
  return { level: level as Level, detail, next };
}

/** All checks, in the order in which a new connector is set up; a database keeps no order of its own. */
export const checkNames = [
  ...['flex-api', 'conversations-api', 'taskrouter-workspace', 'agents', 'queues'],
  ...['webhook-signature', 'plugin-listener', 'since'],
  ...['brevo-account', 'brevo-attributes', 'brevo-lists', 'brevo-event', 'outbox'],
];
