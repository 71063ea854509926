import type { Db } from '../db/db.ts';
import { type ConnectorCheck, fix, note, ok, type Verdict } from './check.ts';
import { connectorStatus } from './status.ts';

/** TaskRouter's Events API keeps events so long. */
const eventsApiDays = 30;
const dayMs = 24 * 3_600_000;

/** The checks of what the host itself keeps. @param since as a later `connector sync` is to have it */
export const keptChecks = (
  db: Pick<Db, 'query'>,
  connector: string,
  since: Date | undefined,
  now: () => number = Date.now,
): ConnectorCheck[] => [
  { name: 'plugin-listener', look: () => listener(db, connector) },
  ...(since ? [{ name: 'since', look: () => oldest(db, since, now()) }] : []),
  { name: 'outbox', look: () => outbox(db, connector) },
];

/** The listener of the plugin is one of two ways: Event Streams is the other. */
async function listener(db: Pick<Db, 'query'>, connector: string): Promise<Verdict> {
  const rows = await db.query<{ name: string; at: Date }>(
    `SELECT name, at FROM connector_notes WHERE connector = $1 AND name IN ('listener', 'webhook')`,
    [connector],
  );
  const last = rows.find(({ name }) => name === 'listener');
  if (last) return ok(`reported a task at ${last.at.toISOString()}`);
  return note(
    'has reported no task yet',
    'it is optional beside Event Streams: flex-custody setup --set connector=true switches it on',
  );
}

async function oldest(db: Pick<Db, 'query'>, since: Date, now: number): Promise<Verdict> {
  const [row] = await db.query<{ event: Date | null; contact: Date | null }>(
    `SELECT (SELECT at FROM agent_events ORDER BY seq LIMIT 1) AS event,
       (SELECT opened_at FROM contacts ORDER BY opened_at LIMIT 1) AS contact`,
  );
  const ofApi = new Date(now - eventsApiDays * dayMs);
  const kept = [ofApi, row?.event, row?.contact].filter((at): at is Date => at instanceof Date);
  const first = new Date(Math.min(...kept.map((at) => at.getTime())));
  const from = [
    `Twilio's events from ${ofApi.toISOString()}`,
    row?.event ? `the inbox from ${row.event.toISOString()}` : 'the inbox is empty',
    row?.contact ? `sessions from ${row.contact.toISOString()}` : 'there are no sessions',
  ].join(', ');
  return since < first
    ? note(
        `--since is before all that is kept: ${from}`,
        `of tasks before ${first.toISOString()} nothing can be read; conversations are older`,
      )
    : ok(from);
}

async function outbox(db: Pick<Db, 'query'>, connector: string): Promise<Verdict> {
  const { connected, paused, pending, failed, uncertain } = await connectorStatus(db, connector);
  const counts = `${pending} pending, ${failed} failed, ${uncertain} uncertain`;
  if (paused)
    return fix(
      `paused since ${paused.sinceAt.toISOString()} (${paused.reason}); ${counts}`,
      'correct the fault above; it begins again by itself',
    );
  if (failed > 0) return fix(counts, 'flex-custody connector failed');
  return connected
    ? ok(counts)
    : note(`not switched on yet; ${counts}`, 'restart the hosts with CUSTODY_BREVO_FILE');
}
