import { setTimeout as sleep } from 'node:timers/promises';
import { type CloudEvent, cloudEvent } from '../../../sandbox/src/agent-events/forms.ts';
import type { AgentEvent as SandboxEvent } from '../../../sandbox/src/agent-events/list.ts';
import type { Db } from '../../../server/src/db/db.ts';
import type { AgentEvent } from '../../../server/src/events/agent-event.ts';
import { parseEvent } from '../../../server/src/events/parse-event.ts';
import type { Stage } from './stage.ts';

/** Alarms that the storm may raise, and whose cause is over after it. */
export const passing = [
  'events_refused',
  'shard_silent',
  'stream_unreadable',
  'repair_failed',
  'sessions_failed',
];
export const ofSessions = ['long_call', 'long_hold'];
const followedWithinMs = 120_000;
/** Gap repair leaves the last minute to its next run. */
const unsettledMs = 60_000;

export interface SettledEvents {
  db: Db;
  /** All that the host can know of what was sent. */
  events: readonly AgentEvent[];
  /** Lost on every way, and in TaskRouter's history. */
  repaired: number;
  /** Lost on every way, and not in TaskRouter's history. */
  lostForGood: number;
}

/**
 * What operators do: wait, and repair the gap. Resolves with the open database, which no host has any more.
 * @param broken records that are no events
 */
export async function settleEvents(
  stage: Stage,
  broken: number,
  tell: (line: string) => void,
): Promise<SettledEvents> {
  const { eventStreams, world } = stage.sandbox.twilio;
  await eventStreams.settled();
  const last = Math.max(...world.agentEvents.all().map(({ at }) => at.getTime()));
  await sleep(Math.max(0, last + unsettledMs + 1_000 - Date.now()));
  tell('repairing the gap of the events');
  await stage.command('recorder', 'repair', '--since', '6h', '--json');
  const db = await followed(stage, broken);
  const { survivors, ...lost } = survivorsOf(stage);
  return { db, ...lost, events: survivors.map((event) => agentEventOf(cloudEvent(world, event, 1), stage)) };
}

/** Of what was sent, what the host can know. */
function survivorsOf({ events, sandbox }: Stage): {
  survivors: SandboxEvent[];
  repaired: number;
  lostForGood: number;
} {
  const all = sandbox.twilio.world.agentEvents.all();
  const sent = all.filter(({ type }) => events.sinksOf(type) > 0);
  const losses = new Map<string, number>();
  for (const { id } of sandbox.twilio.eventStreams.lost) losses.set(id, (losses.get(id) ?? 0) + 1);
  const isLost = ({ id, type }: SandboxEvent) => (losses.get(id) ?? 0) >= events.sinksOf(type);
  const survivors = sent.filter((event) => event.taskRouter !== undefined || !isLost(event));
  return {
    survivors,
    repaired: sent.filter((event) => event.taskRouter !== undefined && isLost(event)).length,
    lostForGood: sent.length - survivors.length,
  };
}

/** The database, once everything that was sent is in the inbox and in the sessions. Hosts change tasks, which makes more events. */
async function followed(stage: Stage, broken: number): Promise<Db> {
  const until = Date.now() + followedWithinMs;
  const countOf = () => survivorsOf(stage).survivors.length;
  for (;;) {
    const read = await readOf(stage).catch(() => 0);
    if (read < countOf() + broken && Date.now() < until) {
      await sleep(500);
      continue;
    }
    await stage.stopHosts();
    const db = await stage.database();
    const [row] = await db.query<{ isOver: boolean }>(
      `SELECT (SELECT count(*) FROM agent_events WHERE source <> 'own') >= $2
         AND (SELECT max(seq) FROM agent_events) = (SELECT position::bigint FROM session_place)
         AND NOT EXISTS (SELECT 1 FROM alarms WHERE cleared_at IS NULL AND code = ANY($1::text[])) AS "isOver"`,
      [[...passing, ...ofSessions], countOf()],
    );
    // What does not end is what the judge has to say.
    if (row?.isOver || Date.now() > until) return db;
    await db.close();
    await stage.startHosts();
    await sleep(2_000);
  }
}

/** Events and broken records of the inbox, each once. */
async function readOf(stage: Stage): Promise<number> {
  const tables = await stage.api.events();
  const sum = (name: string, field: string) =>
    tables
      .find((one) => one.name === name)
      ?.rows.reduce((all, row) => all + (row['source'] === 'own' ? 0 : Number(row[field])), 0) ?? 0;
  return sum('events', 'stored') + sum('eventsSetAside', 'records');
}

function agentEventOf(event: CloudEvent, { sandbox }: Stage): AgentEvent {
  const accounts = [sandbox.account.accountSid];
  const parsed = parseEvent(event, { accounts, source: 'webhook', receivedAt: new Date(0) });
  if (!('event' in parsed))
    throw new Error(`${event.id} of the sandbox is set aside: ${parsed.aside.reason}`);
  const { id, type, at, eventSid, data } = parsed.event;
  return { id, type, time: at, ...(eventSid !== undefined && { eventSid }), data: JSON.parse(data) };
}
