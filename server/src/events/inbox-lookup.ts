import type { Db } from '../db/db.ts';
import type { InboxLookup } from './inbox.ts';
import { parseEvent } from './parse-event.ts';
import { withoutErased } from './write-events.ts';

/** @param accounts whose events the inbox takes in */
export function createInboxLookup(db: Pick<Db, 'query'>, accounts: readonly string[]): InboxLookup {
  return {
    async missing(events) {
      const receivedAt = new Date();
      const given = events.flatMap((event) => {
        const parsed = parseEvent(event, { accounts, receivedAt });
        return 'event' in parsed ? [{ event, parsed: parsed.event }] : [];
      });
      const kept = await withoutErased(
        db,
        given.map(({ parsed }) => parsed),
      );
      const wanted = new Set(kept.events);
      const left = given.filter(({ parsed }) => wanted.has(parsed));
      const found = await db.query<{ place: number }>(
        `SELECT place::int FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS given (id, event_sid, same_as, place)
         WHERE NOT EXISTS (SELECT FROM agent_events had WHERE had.id = given.id)
           AND NOT EXISTS (SELECT FROM agent_events had WHERE had.event_sid = given.event_sid)
           AND NOT EXISTS (SELECT FROM agent_events had
             WHERE had.same_as = given.same_as AND (had.event_sid IS NULL OR given.event_sid IS NULL))
         ORDER BY place`,
        [
          left.map(({ parsed }) => parsed.id),
          left.map(({ parsed }) => parsed.eventSid ?? null),
          left.map(({ parsed }) => parsed.sameAs ?? null),
        ],
      );
      return found.flatMap(({ place }) => left[place - 1]?.event ?? []);
    },
  };
}
