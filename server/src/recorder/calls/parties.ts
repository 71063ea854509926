import type { TwilioCallFacts } from '@flex-custody/twilio';
import type { LiveCall, Parties, Reading } from '../../catalog/live-calls.ts';
import { type CallerDigest, callerOf, hintOf } from '../../retention/caller.ts';

/** TaskRouter dials a Flex worker by a call of its own to the worker's client. */
const isWorkers = ({ to, direction }: TwilioCallFacts): boolean =>
  to.startsWith('client:') && direction !== 'inbound';
const isOutbound = ({ direction }: TwilioCallFacts): boolean => direction.startsWith('outbound');

/** Whose number of a leg is on the line: who called us, or whom we called. */
const numberOf = (call: TwilioCallFacts): string => (call.direction === 'inbound' ? call.from : call.to);

const startOf = ({ startedAt }: TwilioCallFacts): number => startedAt?.getTime() ?? Number.POSITIVE_INFINITY;

/**
 * What the legs of a conference say of whose call it is: an inbound leg is the customer's, else the first outbound one that
 * is no worker's. Legs of workers alone say nothing yet: a customer may be about to join.
 */
export function readingOf(calls: readonly TwilioCallFacts[], digest: CallerDigest | undefined): Reading {
  const outside = calls.filter((call) => !isWorkers(call)).sort((a, b) => startOf(a) - startOf(b));
  const workers = calls.filter(isWorkers);
  const customer = outside.find(({ direction }) => direction === 'inbound') ?? outside[0];
  const direction = !customer
    ? undefined
    : customer.direction === 'inbound'
      ? 'inbound'
      : isOutbound(customer)
        ? 'outbound'
        : undefined;
  const caller = customer && direction && callerOf(digest, numberOf(customer));
  // TaskRouter shows the agent the customer's number as the one that calls.
  const numbers = [
    ...outside.filter((call) => call !== customer).map(numberOf),
    ...workers.map(({ from }) => from),
  ];
  // A number that is no E.164 does not make a caller known, but it can add a hold.
  if (customer && caller === undefined) numbers.push(numberOf(customer));
  const others = new Set(numbers.flatMap((number) => hintOf(digest, number) ?? []));
  if (caller !== undefined) others.delete(caller);
  return {
    legs: calls.map(({ sid }) => sid),
    hasAgent: workers.length > 0,
    ...(customer && { customerCallSid: customer.sid }),
    ...(direction && { direction }),
    ...(caller !== undefined && { caller }),
    others: [...others],
  };
}

/** Of the calls that a recording belongs to, best first: the first with somebody outside says whose it is. */
export function together(calls: readonly LiveCall[]): Parties | undefined {
  const first = calls.find(({ direction }) => direction && direction !== 'internal') ?? calls[0];
  if (!first) return undefined;
  const rest = calls.filter((call) => call !== first);
  const others = [
    ...first.others,
    ...rest.flatMap(({ caller, others: more }) => [...more, ...(caller ? [caller] : [])]),
  ];
  return {
    ...(first.customerCallSid && { customerCallSid: first.customerCallSid }),
    ...(first.direction && { direction: first.direction }),
    ...(first.caller !== undefined && { caller: first.caller }),
    others: [...new Set(others)].filter((other) => other !== first.caller),
  };
}
