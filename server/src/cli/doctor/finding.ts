import { CustodyError } from '@flex-custody/core';
import { explain } from '../../start/explain.ts';

/** `note`: nothing is broken, and somebody may still want to know, or to do something about it. */
export type Level = 'ok' | 'note' | 'fix';

export interface Finding {
  group: string;
  name: string;
  level: Level;
  detail: string;
  /** What to do about it; empty where nothing is to be done. */
  next: string;
}

/** What a check saw: good where it is a text, a note where it has a next step. What must be fixed it throws as {@link advice}. */
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
export const note = (detail: string, next: string): Seen => ({ detail, next });

const passing = /^(twilio|database)_unavailable$/;

/** An error as what is wrong and what to do; other rooms' messages read `fault: next step`, or `fault; next step`. */
export function diagnosis(error: unknown): { detail: string; next: string } {
  if (error instanceof Advice) return { detail: error.detail, next: error.next };
  const text = explain(error) ?? (error instanceof Error ? error.message : String(error));
  if (error instanceof CustodyError && error.retryable && passing.test(error.code))
    return { detail: text, next: 'check that it runs, and the network and proxy on the way' };
  // The last colon but those inside URLs and addresses parts them.
  const cut = Math.max(text.lastIndexOf(': '), text.lastIndexOf('; '));
  if (cut < 0) return { detail: text, next: 'see the log of the host' };
  return { detail: text.slice(0, cut), next: text.slice(cut + 2) };
}

/** JSON that somebody answered; undefined where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
