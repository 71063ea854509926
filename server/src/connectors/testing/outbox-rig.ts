import { randomUUID } from 'node:crypto';
import type { Db } from '../../db/db.ts';
import { type BrevoCrmDeps, brevoName, createBrevoCrm } from '../brevo/brevo-crm.ts';
import type { Mapping, Totals } from '../brevo/mapping.ts';
import { type DeliverDeps, deliver } from '../deliver.ts';
import type { Interaction, Trigger } from '../interaction.ts';
import { type FakeBrevo, fakeBrevo } from './fake-brevo.ts';

export const interactionOf = (over: Partial<Interaction> = {}): Interaction =>
  ({
    custodyId: randomUUID(),
    ...{ kind: 'inbound', channel: 'voice', direction: 'inbound', outcome: 'resolved' },
    openedAt: Date.UTC(2026, 5, 1, 10),
    closedAt: Date.UTC(2026, 5, 1, 10, 5),
    ...{ tasks: [], talkSeconds: 60, holdSeconds: 0, wrapUpSeconds: 5, recordings: [] },
    customer: { address: '+34600000001', attributes: { name: 'Ana' } },
    ...over,
  }) as Interaction;

const nameOf: Partial<Record<Trigger, string>> = {
  'task.created': 'SUPPORT_REQUESTED',
  'task.completed': 'SUPPORT_RESOLVED',
  'task.canceled': 'REFUSED',
};

/** A small mapping: the address is the phone, `email` an attribute, and NAME that of the task. */
export const mapping: Mapping = {
  needsBefore: false,
  attributes: [],
  customer: ({ customer }) => ({ key: customer.address ?? '', identifiers: {} }),
  contact: ({ customer: { address, attributes } }, { conversations }) => ({
    identifiers: {
      ...(address && { phone: address }),
      ...(typeof attributes['email'] === 'string' && { email: attributes['email'] }),
    },
    attributes: {
      TOTAL: conversations,
      ...(typeof attributes['name'] === 'string' && { FIRSTNAME: attributes['name'] }),
      ...(typeof attributes['tier'] === 'string' && { TIER: attributes['tier'] }),
    },
    listIds: [7],
  }),
  event({ closedAt, custodyId, openedAt }, trigger) {
    const name = nameOf[trigger];
    const at = new Date(trigger === 'task.created' ? openedAt : (closedAt ?? openedAt));
    return name === undefined ? undefined : { name, at, properties: { custody_id: custodyId } };
  },
  explain: () => [],
};

export interface Rig {
  db: Db;
  brevo: FakeBrevo;
  /** Alarms that are open, by code. */
  alarms: Map<string, string>;
  /** @returns its number */
  customer(): Promise<number>;
  interaction(customer: number, over?: Partial<Interaction>): Promise<Interaction>;
  effect(
    customer: number,
    of: Interaction,
    trigger: Trigger,
    over?: { isHistory?: boolean; dueInMs?: number },
  ): Promise<number>;
  states(): Promise<Record<string, number>>;
  /** A process that delivers. */
  start(over?: Partial<BrevoCrmDeps & Pick<DeliverDeps<never>, 'atOnce'>>): { stop(): Promise<void> };
}

export function outboxRig(db: Db, brevo = fakeBrevo()): Rig {
  const alarms: Rig['alarms'] = new Map();
  const totals = async (from: Db, customers: readonly number[]) => {
    const rows = await from.query<{ customer: number; n: number }>(
      `SELECT customer, count(*)::int AS n FROM connector_interactions
       WHERE customer = ANY($1::bigint[]) AND interaction IS NOT NULL GROUP BY customer`,
      [customers],
    );
    const of = (conversations: number): Totals => ({
      conversations,
      lastConversationAt: 0,
      preferredChannel: 'voice',
    });
    return new Map(rows.map(({ customer, n }) => [customer, of(n)] as const));
  };
  return {
    ...{ db, brevo, alarms },
    async customer() {
      const [row] = await db.query<{ id: number }>(
        'INSERT INTO connector_customers (connector, digest) VALUES ($1, $2) RETURNING id',
        [brevoName, randomUUID()],
      );
      return row?.id ?? 0;
    },
    async interaction(customer, over) {
      const interaction = interactionOf(over);
      await db.query(
        `INSERT INTO connector_interactions (custody_id, connector, customer, interaction, opened_at, channel)
         VALUES ($1, $2, $3, $4, $5, 'voice')`,
        [
          ...[interaction.custodyId, brevoName, customer],
          ...[JSON.stringify(interaction), new Date(interaction.openedAt)],
        ],
      );
      await db.query(
        `UPDATE connector_customers SET version = version + 1, state = 'waiting', due_at = now() WHERE id = $1`,
        [customer],
      );
      return interaction;
    },
    async effect(customer, { closedAt, custodyId, openedAt }, trigger, over = {}) {
      const at = new Date(trigger === 'task.created' ? openedAt : (closedAt ?? openedAt));
      const [row] = await db.query<{ id: number }>(
        `INSERT INTO connector_effects (connector, custody_id, trigger, customer, is_history, happened_at, due_at)
         VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 millisecond') RETURNING id`,
        [brevoName, custodyId, trigger, customer, over.isHistory ?? false, at, over.dueInMs ?? 0],
      );
      return row?.id ?? 0;
    },
    async states() {
      const rows = await db.query<{ state: string; n: number }>(
        'SELECT state, count(*)::int AS n FROM connector_effects GROUP BY state',
      );
      return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
    },
    start({ atOnce, ...over } = {}) {
      const ending = new AbortController();
      const { crm, notes, onResumed } = createBrevoCrm({
        ...{
          db,
          brevo,
          mapping,
          collisions: 'drop-identifier',
          createAttributes: false,
          resendAfterMs: 2_000,
        },
        alarms: {
          raise: async (code, _, detail) => void alarms.set(code, detail),
          resolve: async (codes) => {
            for (const code of codes) alarms.delete(code);
          },
        },
        ...over,
      });
      const log = { debug: () => undefined, warn: (fields: object) => void faults.push(fields) };
      const faults: object[] = [];
      const running = deliver(
        {
          db,
          connector: brevoName,
          crm,
          totals,
          notes,
          onResumed,
          log,
          idleMs: 20,
          ...(atOnce && { atOnce }),
        },
        ending.signal,
      );
      return {
        async stop() {
          ending.abort(new Error('the process ends'));
          await running;
          if (faults.length > 0) throw new Error(JSON.stringify(faults));
        },
      };
    },
  };
}
