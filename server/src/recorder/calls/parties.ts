import type { TwilioCallFacts } from '@flex-custody/twilio';
import type { LiveCall, Parties, Reading } from '../../catalog/live-calls.ts';
import { type CallerDigest, callerOf, hintOf } from '../../retention/caller.ts';

/** TaskRouter dials a Flex worker by a call of its own to the worker's client. */
const isWorkers = ({ to, direction }: TwilioCallFacts): boolean =>
  to.startsWith('client:') && direction !== 'inbound';
const isOutbound = ({ direction }: TwilioCallFacts): boolean => direction.startsWith('outbound');

/** The outside number of a leg: who called us, or whom we called. */
const numberOf = (call: TwilioCallFacts): string => (call.direction === 'inbound' ? call.from : call.to);

const startOf = ({ startedAt }: TwilioCallFacts): number => startedAt?.getTime() ?? Number.POSITIVE_INFINITY;

/**
 * Derives the customer, the direction and the caller from the legs of a conference. The customer's leg is an inbound one,
 * or otherwise the first outbound one that is not a worker's. Legs of workers alone show nothing yet: a customer may be
 * about to join.
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
  // TaskRouter dials the agent with the customer's number as caller id.
  const numbers = [
    ...outside.filter((call) => call !== customer).map(numberOf),
    ...workers.map(({ from }) => from),
  ];
  // A number that is not E.164 identifies no caller, but it can add a hold.
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

/** The parties of a recording's calls, best call first: the first call with an outside number decides. */
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
