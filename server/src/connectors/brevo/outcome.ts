import type { LimitReport } from '../budget.ts';
import type { BrevoOutcome } from './brevo-api.ts';
import { duplicateIdentifiers } from './duplicate-identifiers.ts';
import { codeOf, messageOf } from './refusal.ts';

export interface BrevoAnswer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
}

export interface Reading<T> {
  /** Undefined where the body of a success is none that Brevo sends. */
  value(body: unknown, status: number): { value: T } | undefined;
  /** Whether a repetition would be a second one: an event. */
  onlyOnce: boolean;
  /** Texts of the request, which no message may show. */
  sent: readonly string[];
}

const hourMs = 3_600_000;
const later = new Set([408, 425, 429]);
/** The gateway passed the request on and has no answer: Brevo may have taken it. 520 and 524 are Cloudflare's. */
const passedOn = new Set([504, 520, 524]);
/** Codes that are about the account, whatever the status. */
const ofAccount: Readonly<Record<string, 'key' | 'credits' | 'forbidden'>> = {
  unauthorized: 'key',
  not_enough_credits: 'credits',
  account_under_validation: 'forbidden',
  permission_denied: 'forbidden',
};
const ofStatus: Readonly<Record<number, 'key' | 'credits' | 'forbidden'>> = {
  401: 'key',
  402: 'credits',
  403: 'forbidden',
};

/** What an answer of any status and any body means. */
export function outcomeOf<T>(answer: BrevoAnswer, { value, onlyOnce, sent }: Reading<T>): BrevoOutcome<T> {
  const { status } = answer;
  const body = jsonOf(answer.text);
  if (status >= 200 && status < 300) {
    const read = value(body, status);
    if (read) return { kind: 'done', value: read.value };
    return onlyOnce ? { kind: 'unknown' } : { kind: 'later', status };
  }
  // A redirect is what a proxy says, and no answer of Brevo's.
  if (status < 400 || status >= 600) return { kind: 'later', status };
  const fields = fieldsOf(body);
  const code = codeOf(fields['code']);
  if (later.has(status) || status >= 500 || code === 'account_in_process') {
    if (onlyOnce && passedOn.has(status)) return { kind: 'unknown' };
    const afterMs = status === 429 ? resetMs(answer.headers) : undefined;
    return { kind: 'later', status, ...(afterMs !== undefined && { afterMs }) };
  }
  const reason =
    ofStatus[status] ?? (code !== undefined && Object.hasOwn(ofAccount, code) ? ofAccount[code] : undefined);
  if (reason) {
    const isAddress = reason !== 'credits' && /\bIP\b/i.test(String(fields['message'] ?? ''));
    return { kind: 'pause', reason: isAddress ? 'address' : reason, status, ...(code && { code }) };
  }
  if (status === 404) return { kind: 'missing' };
  const identifiers = duplicateIdentifiers(fields);
  if (identifiers) return { kind: 'collision', identifiers };
  return { kind: 'refused', status, code: code ?? 'unknown', message: messageOf(fields['message'], sent) };
}

/** What became of a request without a whole answer. @param wasSent whether there was a connection */
export const outcomeWithoutAnswer = <T>(onlyOnce: boolean, wasSent: boolean): BrevoOutcome<T> =>
  onlyOnce && wasSent ? { kind: 'unknown' } : { kind: 'later' };

/** @see https://developers.brevo.com/docs/limit-headers: the reset is in seconds from now */
export function limitReport(headers: BrevoAnswer['headers']): LimitReport {
  const number = (name: string) => {
    const value = headers[`x-sib-ratelimit-${name}`];
    return typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
  };
  const [limit, remaining, resetSeconds] = [number('limit'), number('remaining'), number('reset')];
  return {
    ...(limit !== undefined && { limit }),
    ...(remaining !== undefined && { remaining }),
    ...(resetSeconds !== undefined && { resetSeconds }),
  };
}

/** Whole seconds may be cut: a window that lasts gets one more. */
function resetMs(headers: BrevoAnswer['headers']): number | undefined {
  const { resetSeconds } = limitReport(headers);
  if (resetSeconds === undefined) return undefined;
  return Math.min(hourMs, 1_000 * (resetSeconds > 1 ? resetSeconds + 1 : 1));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const fieldsOf = (body: unknown): Readonly<Record<string, unknown>> =>
  typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {};
