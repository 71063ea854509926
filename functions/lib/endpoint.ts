import { CustodyError, errorCode } from '@flex-custody/core';
import { type Deadline, startDeadline } from './deadline.ts';
import { logOutcome, type Outcome } from './log.ts';
import { type Answer, type Callback, type Context, type Event, type Handler, toResponse } from './runtime.ts';

export interface Underway {
  deadline: Deadline;
  /** One line about how it went; the time taken is added. */
  log(outcome: Omit<Outcome, 'event' | 'ms'>): void;
}

export interface Call<Config> extends Underway {
  config: Config;
  event: Event;
}

/** A Function as data: what it is called in the log, what it needs set, what it accepts, what it does with it. */
export interface Endpoint<Form, Config> {
  name: string;
  /** @throws CustodyError `config_invalid` */
  config(context: Context): Config;
  /** @throws CustodyError with the status to answer */
  parse(event: Event, config: Config): Form;
  work(form: Form, call: Call<Config>): Promise<Answer>;
}

/**
 * A handler that Twilio calls. Who may call is the gateway's matter: `.protected` lets only requests through that Twilio
 * signed. What was signed of it `parse` finds out: a browser may have chosen the URL.
 */
export function endpoint<Form, Config>({ name, config, parse, work }: Endpoint<Form, Config>): Handler {
  return (context, event, callback) =>
    answering(name, callback, async (underway) => {
      const settings = config(context);
      return work(parse(event, settings), { config: settings, event, ...underway });
    });
}

/** Their messages name variables and fields, never a value, and say what is to be done. */
const explained: ReadonlySet<string> = new Set(['config_invalid', 'callback_invalid']);

/**
 * Whatever happens ends in `callback`: with Runtime Handler 2.0.1 a rejected promise would leave the caller waiting for
 * the 10 s to pass.
 * @param work answers, or throws a CustodyError with the status to answer
 * @param finish what is the same in every answer, also in those that say what went wrong
 */
export async function answering(
  name: string,
  callback: Callback,
  work: (underway: Underway) => Promise<Answer>,
  finish: (answer: Answer, error?: unknown) => Answer = (answer) => answer,
): Promise<void> {
  const deadline = startDeadline();
  const log: Underway['log'] = (outcome) =>
    logOutcome({ event: name, ...outcome, ms: Math.round(deadline.elapsed()) });
  let answer: Answer;
  try {
    answer = finish(await work({ deadline, log }));
  } catch (error) {
    const code = errorCode(error);
    const status = error instanceof CustodyError ? error.status : 500;
    const detail = explained.has(code) && error instanceof Error ? { detail: error.message } : {};
    log({ outcome: 'error', code, ...detail });
    answer = finish({ status, body: { error: code } }, error);
  }
  callback(null, toResponse(answer));
}
