import type { AccountSid } from '@flex-custody/core';
import type { Db } from '../../db/db.ts';
import type { AgentEvent } from '../../events/agent-event.ts';
import { followBatch as followInboxBatch } from '../../recorder/sessions/kept/follow-inbox.ts';
import { knownFacts } from '../../recorder/sessions/kept/known-facts.ts';
import { storeAll } from '../../recorder/sessions/testing/stored.ts';
import type { FollowDeps } from '../follow.ts';
import type { Trigger } from '../interaction.ts';

export const account = `AC${'1'.repeat(32)}` as AccountSid;

/** An e-mail address identifies the customer, else the address; every trigger but an acceptance is an event, a cancellation only where the customer gave up. */
export const plainMapping: FollowDeps['mapping'] = {
  customer({ customer: { address, attributes } }) {
    const email = attributes['email'];
    if (typeof email === 'string') return { key: `email ${email}`, identifiers: { email } };
    return address === undefined
      ? { why: 'nothing identifies the customer' }
      : { key: `phone ${address}`, identifiers: { phone: address } };
  },
  event({ outcome, closedAt, openedAt }, trigger) {
    if (trigger === 'task.accepted' || (trigger === 'task.canceled' && outcome !== 'abandoned'))
      return undefined;
    return { name: trigger, at: new Date(closedAt ?? openedAt), properties: {} };
  },
};

export const followDeps = (db: Db, more: Partial<FollowDeps> = {}): FollowDeps => ({
  ...{ db, accountSid: account, connector: 'brevo', mapping: plainMapping, settleSeconds: 60 },
  agentActivity: true,
  csat: { path: 'conversations.conversation_measure_3' },
  digest: (key) => `digest of ${key}`,
  ...more,
});

/** Events arrive, and become sessions. */
export async function arrive(db: Db, events: readonly AgentEvent[]): Promise<void> {
  await storeAll(db, events);
  const facts = knownFacts();
  const deps = {
    db,
    options: async () => ({}),
    apply: async () => undefined,
    log: { warn: () => undefined },
  };
  for (;;) if ((await followInboxBatch(deps, facts)).isEnd) return;
}

export interface EffectRow {
  id: number;
  custody: string;
  trigger: Trigger;
  state: string;
  history: boolean;
  /** Seconds from now. */
  due: number;
  customer: number;
}

export const effects = (db: Pick<Db, 'query'>): Promise<EffectRow[]> =>
  db.query(
    `SELECT id, custody_id AS custody, trigger, state, is_history AS history, customer,
       round(extract(epoch FROM due_at - now()))::int AS due FROM connector_effects ORDER BY happened_at, id`,
  );

/** Clears every table that following writes or reads. */
export const clearAll = (db: Pick<Db, 'query'>): Promise<unknown> =>
  db.query(
    `TRUNCATE agent_events, contacts, contact_keys, contact_events, contact_reports, connector_changes, connector_customers,
       connector_interactions, connector_effects, connector_notes, connector_agent_days, marks, erased_sids;
     UPDATE session_place SET position = NULL`,
  );
