import { isObject, jsonFields } from '@flex-custody/core';
import type { Marks } from '../../catalog/marks.ts';
import { rateLimitType, testEventType } from '../../events/event-types.ts';
import type { Inbox } from '../../events/inbox.ts';

const testMark = 'event-streams-test';
const limitsMark = 'taskrouter-rate-limits';

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields => {
  if (typeof value === 'string') return jsonFields(value);
  return isObject(value) ? value : {};
};
const isNoticed = (event: unknown): boolean => {
  const type = typeof event === 'string' ? event : isObject(event) ? event['type'] : undefined;
  return typeof type === 'string' && (type.includes(testEventType) || type.includes(rateLimitType));
};

/**
 * The same inbox, which also notes the newest test event and TaskRouter's rate limits. The inbox alone would not do: every
 * test event has the same id, the account's SID, so a second one is a duplicate there.
 */
export function noticing<T extends Inbox>(inbox: T, marks: Marks): T {
  const notice = async (event: unknown) => {
    const { type, data } = fieldsOf(event);
    const fields = fieldsOf(data);
    if (type === testEventType && typeof fields['test_id'] === 'string')
      await marks.setMark(testMark, { testId: fields['test_id'] });
    if (type === rateLimitType) {
      const { resource_key: key, rate_limit: limit } = fields;
      const number = Number(limit);
      if (typeof key !== 'string' || key.length > 200 || !(number > 0)) return;
      const before = await marks.mark(limitsMark);
      const known = Object.entries(before ?? {}).slice(-mostLimits);
      await marks.setMark(limitsMark, { ...Object.fromEntries(known), [key]: number });
    }
  };
  return {
    ...inbox,
    async take(events, from) {
      const taken = await inbox.take(events, from);
      for (const event of events) if (isNoticed(event)) await notice(event);
      return taken;
    },
  };
}

/** Keys are Twilio's, and few. */
const mostLimits = 100;

/** `data.test_id` of the test event that arrived last; undefined before the first. */
export async function lastTestId(marks: Pick<Marks, 'mark'>): Promise<string | undefined> {
  const id = (await marks.mark(testMark))?.['testId'];
  return typeof id === 'string' ? id : undefined;
}

/** TaskRouter's limits by resource key, as it reported them last. */
export async function reportedLimits(marks: Pick<Marks, 'mark'>): Promise<ReadonlyMap<string, number>> {
  const found = Object.entries((await marks.mark(limitsMark)) ?? {});
  return new Map(found.flatMap(([key, limit]) => (typeof limit === 'number' ? [[key, limit] as const] : [])));
}
