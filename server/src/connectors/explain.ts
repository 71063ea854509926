import type { Db } from '../db/db.ts';
import { faultOf } from './failed.ts';
import type { Interaction, Trigger } from './interaction.ts';

/** Why a value is or is not sent. It has no value in it. */
export interface ExplainedRule {
  /** Of the connector's file, such as `field_mapping.attributes.email`. */
  rule: string;
  target: string;
  source: string;
  why: string;
}

/** What a connector would send of an interaction now. Values of the customer are hidden unless they were asked for. */
export interface Preview {
  /** Why nothing is sent of it. */
  why?: string;
  identifiers: Readonly<Record<string, string>>;
  attributes: Readonly<Record<string, string | number | boolean>>;
  lists: readonly number[];
  rules: readonly ExplainedRule[];
  /** The event of each trigger that has happened; absent where no rule sends one. */
  eventOf(trigger: Trigger): { name: string; properties: Readonly<Record<string, unknown>> } | undefined;
}

export interface ExplainedEvent {
  trigger: string;
  /** As it was sent, or would be. */
  name?: string;
  /** As the outbox has it; `none`: it is not planned. */
  state: string;
  happenedAt?: Date;
  dueAt?: Date;
  sentAt?: Date;
  attempts: number;
  code?: string;
  message?: string;
  properties?: Readonly<Record<string, unknown>>;
}

/** Everything that a connector knows of a task, and what it sends of it. */
export interface Explanation {
  task: string;
  /** Why nothing is sent. */
  why?: string;
  custodyId?: string;
  /** What it is computed from, without the customer: channel, times, seconds. */
  interaction?: Readonly<Record<string, unknown>>;
  contact?: {
    /** As the outbox has it; absent before it was planned. */
    state?: string;
    /** Whether the other system has what was last computed. */
    isSent: boolean;
    identifiers: Preview['identifiers'];
    attributes: Preview['attributes'];
    lists: Preview['lists'];
    code?: string;
    message?: string;
  };
  rules: Preview['rules'];
  events: readonly ExplainedEvent[];
}

export interface ExplainDeps {
  db: Pick<Db, 'query'>;
  connector: string;
  /** @param customer its row; undefined before it has one */
  preview(interaction: Interaction, customer: number | undefined): Promise<Preview>;
}

/** @param task SID of a task, or of its conversation */
export async function explainTask(
  { db, connector, preview }: ExplainDeps,
  task: string,
): Promise<Explanation> {
  const row = await interactionOfTask(db, connector, task);
  if (!row) return { task, why: await whyUntracked(db, task), rules: [], events: [] };
  const { custody_id: custodyId, interaction } = row;
  const effects = await effectsOf(db, connector, custodyId);
  if (!interaction) {
    const why = 'it was erased, or is older than its age: only what was sent is known';
    return { task, why, custodyId, rules: [], events: effects.map(asEvent) };
  }
  const shown = await preview(interaction, row.customer ?? undefined);
  const customer = row.customer === null ? undefined : await customerOf(db, row.customer);
  const { customer: _, ...rest } = interaction;
  return {
    ...{ task, custodyId, interaction: rest },
    ...(shown.why !== undefined && { why: shown.why }),
    contact: {
      ...(customer && { state: customer.state, ...faultOf(customer.error) }),
      isSent: customer !== undefined && customer.sent_version >= customer.version,
      ...{ identifiers: shown.identifiers, attributes: shown.attributes, lists: shown.lists },
    },
    rules: shown.rules,
    events: eventsOf(interaction, effects, shown),
  };
}

/** The newest of those that name the SID; of one that became one with another, that one. */
async function interactionOfTask(db: Pick<Db, 'query'>, connector: string, task: string) {
  const [row] = await db.query<{
    custody_id: string;
    customer: number | null;
    interaction: Interaction | null;
  }>(
    `SELECT whole.custody_id, whole.customer, whole.interaction FROM connector_interactions named
     JOIN connector_interactions whole ON whole.custody_id = coalesce(named.merged_into, named.custody_id)
     WHERE named.sids @> ARRAY[$2]::text[] AND named.connector = $1 ORDER BY whole.changed_at DESC LIMIT 1`,
    [connector, task],
  );
  return row;
}

/** What the recorder knows of a task that the connector does not have. */
async function whyUntracked(db: Pick<Db, 'query'>, task: string): Promise<string> {
  const [contact] = await db.query<{ number: number; waits: boolean }>(
    `SELECT abs(key.contact) AS number,
       EXISTS (SELECT FROM connector_changes change WHERE change.contact = abs(key.contact)) AS waits
     FROM contact_keys key WHERE key.key = $1`,
    [task],
  );
  if (contact?.waits) return 'its contact has changed and is looked at within seconds: run this again';
  if (contact)
    return 'the recorder has it, and the connector does not: it is internal, of another channel, or older than the switch-on (flex-custody connector sync brevo)';
  return 'the recorder has no contact with it: its events have not come (flex-custody doctor --only event-streams; flex-custody connector sync brevo)';
}

interface EffectRow {
  trigger: string;
  state: string;
  event_name: string | null;
  happened_at: Date;
  due_at: Date;
  sent_at: Date | null;
  attempts: number;
  error: unknown;
}

const effectsOf = (db: Pick<Db, 'query'>, connector: string, custodyId: string): Promise<EffectRow[]> =>
  db.query(
    `SELECT trigger, state, event_name, happened_at, due_at, sent_at, attempts, error
     FROM connector_effects WHERE connector = $1 AND custody_id IN (
       SELECT $2::uuid UNION ALL SELECT custody_id FROM connector_interactions WHERE merged_into = $2::uuid
     ) ORDER BY happened_at, id`,
    [connector, custodyId],
  );

async function customerOf(db: Pick<Db, 'query'>, id: number) {
  const [row] = await db.query<{ state: string; version: number; sent_version: number; error: unknown }>(
    'SELECT state, version, sent_version, error FROM connector_customers WHERE id = $1',
    [id],
  );
  return row;
}

const asEvent = (row: EffectRow): ExplainedEvent => ({
  ...{ trigger: row.trigger, state: row.state },
  ...(row.event_name !== null && { name: row.event_name }),
  happenedAt: row.happened_at,
  // What has ended is due no longer.
  ...(/^(waiting|sending|uncertain)$/.test(row.state) && { dueAt: row.due_at }),
  ...(row.sent_at && { sentAt: row.sent_at }),
  attempts: row.attempts,
  ...faultOf(row.error),
});

/** When each trigger happened, of those that have. */
const timesOf = (one: Interaction): Partial<Record<Trigger, number | undefined>> => {
  const isCanceled = one.outcome === 'abandoned' || one.outcome === 'diverted';
  const canceled = isCanceled ? one.closedAt : undefined;
  const completed = one.outcome === 'resolved' ? one.closedAt : undefined;
  return {
    'task.created': one.openedAt,
    'task.accepted': one.acceptedAt,
    'task.transferred': one.transferredAt,
    'task.completed': completed,
    'task.canceled': canceled,
    'conversation.ended': one.conversationEndedAt,
    'survey.completed': one.surveyedAt,
  };
};

/** What the outbox has, and what the rules would send beside it. */
function eventsOf(
  interaction: Interaction,
  effects: readonly EffectRow[],
  { eventOf }: Preview,
): ExplainedEvent[] {
  const planned = effects.map((row): ExplainedEvent => {
    const made = eventOf(row.trigger as Trigger);
    return { ...(made && { name: made.name, properties: made.properties }), ...asEvent(row) };
  });
  const others = Object.entries(timesOf(interaction)).flatMap(([trigger, at]): ExplainedEvent[] => {
    if (at === undefined || effects.some((row) => row.trigger === trigger)) return [];
    const made = eventOf(trigger as Trigger);
    if (!made) return [];
    const { name, properties } = made;
    return [{ trigger, name, state: 'none', happenedAt: new Date(at), attempts: 0, properties }];
  });
  return [...planned, ...others];
}
