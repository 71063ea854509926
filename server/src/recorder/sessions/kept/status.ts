import type { StatusPart } from '../../../events/status-part.ts';

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
