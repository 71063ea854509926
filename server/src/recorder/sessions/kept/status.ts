import type { StatusPart, StatusRow } from '../../../events/status-part.ts';
import { type Contact, wasAccepted } from '../contact.ts';

/** Contacts that are not closed, by kind. */
export const sessionStatus: StatusPart = {
  name: 'sessions',
  title: 'Open sessions',
  columns: { kind: 'KIND', open: 'OPEN', longest: 'LONGEST, MINUTES', trackingClosed: 'TRACKING CLOSED' },
  read: (db) =>
    db.query(
      `SELECT kind, count(*)::int AS open, round(extract(epoch FROM now() - min(opened_at)) / 60)::int AS longest,
         count(tracking_closed_at)::int AS "trackingClosed"
       FROM contacts WHERE shown_at IS NULL AND closed_at IS NULL GROUP BY kind ORDER BY kind`,
    ),
};

/** Sessions of one answer: a large contact center has thousands. */
const mostShown = 20;

/** Contacts that are not closed, the newest first, each with what happens in it now. */
export const newestSessions: StatusPart = {
  name: 'newestSessions',
  title: `The newest open sessions, at most ${mostShown}`,
  columns: {
    ...{ session: 'SESSION', kind: 'KIND', queue: 'QUEUE', agent: 'AGENT', openedAt: 'SINCE' },
    ...{ wait: 'WAIT, S', holds: 'HOLDS', onHoldAt: 'ON HOLD SINCE' },
  },
  async read(db) {
    const rows = await db.query<{ contact: Contact }>(
      `SELECT contact FROM contacts WHERE shown_at IS NULL AND closed_at IS NULL ORDER BY number DESC LIMIT ${mostShown}`,
    );
    return rows.map(({ contact }) => rowOf(contact));
  },
};

function rowOf({ id, kind, openedAt, wait, holds, interactions }: Contact): StatusRow {
  const open = interactions.filter(({ endedAt }) => endedAt === undefined);
  const now = open.findLast(wasAccepted) ?? open.at(-1) ?? interactions.at(-1);
  const lasting = holds.find(({ endedAt }) => endedAt === undefined);
  return {
    ...{ session: id, kind, queue: now?.queue?.name ?? now?.queue?.sid ?? null },
    agent: now?.employee?.id ?? now?.workerSid ?? null,
    openedAt: new Date(openedAt),
    ...{ wait: wait ?? null, holds: holds.length },
    onHoldAt: lasting ? new Date(lasting.startedAt) : null,
  };
}
