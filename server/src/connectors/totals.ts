import type { Db } from '../db/db.ts';
import type { Totals } from './brevo/mapping.ts';

interface Row {
  customer: number;
  conversations: number;
  wait: number | null;
  talk: number | null;
  last_at: Date;
  csat: number | null;
  preferred: string;
}

/**
 * What the interactions of customers add up to, by the customer's number; none for a customer who has none. The mean wait is that of
 * interactions that waited, the mean talk that of those that an agent took. Of channels that are used equally often the last one is
 * preferred.
 */
export async function totalsOf(
  db: Pick<Db, 'query'>,
  customers: readonly number[],
): Promise<Map<number, Totals>> {
  const rows = await db.query<Row>(
    `WITH own AS (
       SELECT customer, channel, opened_at, interaction FROM connector_interactions
       WHERE customer = ANY($1::bigint[]) AND interaction IS NOT NULL
     ), channels AS (
       SELECT DISTINCT ON (customer) customer, channel FROM (
         SELECT customer, channel, count(*) AS n, max(opened_at) AS last_at FROM own GROUP BY customer, channel
       ) AS used ORDER BY customer, n DESC, last_at DESC, channel
     ), scores AS (
       SELECT DISTINCT ON (customer) customer, (interaction->>'csatScore')::float8 AS score FROM own
       WHERE interaction->>'csatScore' IS NOT NULL
       ORDER BY customer, (interaction->>'surveyedAt')::float8 DESC, opened_at DESC
     )
     SELECT own.customer, count(*)::int AS conversations, avg((own.interaction->>'waitSeconds')::float8) AS wait,
       avg((own.interaction->>'talkSeconds')::float8) FILTER (WHERE own.interaction->>'acceptedAt' IS NOT NULL) AS talk,
       max(own.opened_at) AS last_at, min(scores.score) AS csat, min(channels.channel) AS preferred
     FROM own JOIN channels USING (customer) LEFT JOIN scores USING (customer) GROUP BY own.customer`,
    [customers],
  );
  return new Map(
    rows.map(({ customer, conversations, wait, talk, last_at, csat, preferred }) => [
      customer,
      {
        conversations,
        ...(wait !== null && { averageWaitSeconds: wait }),
        ...(talk !== null && { averageTalkSeconds: talk }),
        lastConversationAt: last_at.getTime(),
        ...(csat !== null && { lastCsatScore: csat }),
        preferredChannel: preferred,
      },
    ]),
  );
}
