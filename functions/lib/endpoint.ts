import { CustodyError, errorCode } from '@flex-custody/core';
import { type FunctionConfig, readConfig } from './config.ts';
import { type Deadline, startDeadline } from './deadline.ts';
import { logOutcome, type Outcome } from './log.ts';
import { type Answer, type Event, type Handler, toResponse } from './runtime.ts';

export interface Call {
  config: FunctionConfig;
  event: Event;
  deadline: Deadline;
  /** One line about how it went; the time taken is added. */
  log(outcome: Omit<Outcome, 'event' | 'ms'>): void;
}

/** A Function as data: what it is called in the log, what it accepts, what it does with it. */
export interface Endpoint<Form> {
  name: string;
  /** @throws CustodyError with the status to answer */
  parse(event: Event): Form;
  work(form: Form, call: Call): Promise<Answer>;
}

/**
 * The handler that Twilio calls. Whatever happens ends in `callback`: with Runtime Handler 2.0.1 a rejected promise
 * would leave the caller waiting for the 10 s to pass. Who may call is the gateway's matter: `.protected` lets only
 * requests through that Twilio signed.
 */
export function endpoint<Form>({ name, parse, work }: Endpoint<Form>): Handler {
  return async (context, event, callback) => {
    const deadline = startDeadline();
    const log: Call['log'] = (outcome) =>
      logOutcome({ event: name, ...outcome, ms: Math.round(deadline.elapsed()) });
    let answer: Answer;
    try {
      const form = parse(event);
      answer = await work(form, { config: readConfig(context), event, deadline, log });
    } catch (error) {
      const code = errorCode(error);
      const status = error instanceof CustodyError ? error.status : 500;
      log({ outcome: 'error', code });
      answer = { status, body: { error: code } };
    }
    callback(null, toResponse(answer));
  };
}
