import type { Agent } from 'node:http';
import { sendRequest } from '@flex-custody/net';
import type { Budgets } from '../budget.ts';
import type { BrevoOutcome } from './brevo-api.ts';
import type { BrevoClass } from './limits.ts';
import { type BrevoAnswer, limitReport, outcomeOf, outcomeWithoutAnswer } from './outcome.ts';

const defaultLimitMs = 30_000;
const mostBytes = 1_024 * 1_024;

/** A request and what became of it. No field has an address, an identifier or a value. */
export interface BrevoCall {
  of: BrevoClass;
  method: string;
  /** Such as `/contacts/{id}`. */
  route: string;
  outcome: BrevoOutcome<unknown>['kind'];
  /** Undefined without an answer. */
  status?: number;
  ms: number;
}

export interface BrevoOptions {
  /** Undefined while there is none: nothing is sent then. */
  apiKey(): Promise<string | undefined> | string | undefined;
  baseUrl?: string;
  budgets: Budgets<BrevoClass>;
  log?: { warn(fields: object, message: string): void };
  /** Of each request, until the last byte of its answer; 30 s by default. */
  limitMs?: number;
  /** After each request, for metrics and `log_api_calls`. */
  called?(call: BrevoCall): void;
  /** For tests: in place of the shared one. */
  agent?: Agent;
}

export interface BrevoRequest<T> {
  of: BrevoClass;
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  route: string;
  path?: string;
  body?: string | undefined;
  /** Texts of the request that no message may show. */
  sent?: readonly string[];
  /** Of the answer; 1 MB by default. */
  mostBytes?: number;
  /** Whether a repetition would be a second one. */
  onlyOnce?: boolean;
  value(body: unknown, status: number): T | undefined;
  signal?: AbortSignal | undefined;
}

export type SendToBrevo = <T>(request: BrevoRequest<T>) => Promise<BrevoOutcome<T>>;

/**
 * Sends one request to Brevo's API v3 in its turn; a repetition is up to the caller.
 * @throws the signal's reason, but where an event may have been taken: that is `unknown`
 */
export function createSender(options: BrevoOptions): SendToBrevo {
  const { budgets, log, called, agent, limitMs = defaultLimitMs } = options;
  const baseUrl = checkedUrl(options.baseUrl ?? 'https://api.brevo.com/v3');

  /** The outcome counts, also where the budget cannot be written. */
  const noted = (work: Promise<void>) =>
    work.catch((error: unknown) =>
      log?.warn({ err: error }, "the budget of Brevo's requests was not written"),
    );

  async function learn(of: BrevoClass, { headers }: BrevoAnswer, outcome: BrevoOutcome<unknown>) {
    await noted(budgets.learn(of, limitReport(headers)));
    if (outcome.kind === 'later' && outcome.status === 429)
      await noted(budgets.pause(of, outcome.afterMs ?? 1_000));
  }

  return async function send<T>(request: BrevoRequest<T>): Promise<BrevoOutcome<T>> {
    const { of, method, route, path = route, body, onlyOnce = false, signal } = request;
    signal?.throwIfAborted();
    const key = await options.apiKey();
    if (!key) return { kind: 'pause', reason: 'key', status: 0 };
    await budgets.turn(of, signal);
    const begun = performance.now();
    let wasSent = false;
    const report = (outcome: BrevoOutcome<T>, status?: number) => {
      const ms = Math.round(performance.now() - begun);
      called?.({ of, method, route, outcome: outcome.kind, ...(status !== undefined && { status }), ms });
      return outcome;
    };
    let answer: BrevoAnswer;
    try {
      answer = await sendRequest(`${baseUrl}${path}`, {
        method,
        headers: {
          accept: 'application/json',
          'api-key': key,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        body,
        limitMs,
        mostBytes: request.mostBytes ?? mostBytes,
        signal,
        connected: () => {
          wasSent = true;
        },
        ...(agent && { agent }),
      });
    } catch {
      // Why it failed is in no field: an error may name the host, the proxy and the path.
      if (signal?.aborted && !(onlyOnce && wasSent)) throw signal.reason;
      return report(outcomeWithoutAnswer(onlyOnce, wasSent));
    }
    const outcome = outcomeOf(answer, {
      value: (found, status) => {
        const read = request.value(found, status);
        return read === undefined ? undefined : { value: read };
      },
      onlyOnce,
      sent: [key, ...(request.sent ?? [])],
    });
    await learn(of, answer, outcome);
    return report(outcome, answer.status);
  };
}

/** A key crosses the network encrypted; tests use loopback. @throws RangeError for another URL */
function checkedUrl(baseUrl: string): string {
  const { protocol, hostname } = new URL(baseUrl);
  if (protocol !== 'https:' && !['127.0.0.1', 'localhost', '[::1]'].includes(hostname))
    throw new RangeError("Brevo's URL must be https");
  return baseUrl.replace(/\/+$/, '');
}
