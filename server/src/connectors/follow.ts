import type { AccountSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import { followAgentDays, passAgentDays } from './agent-days.ts';
import type { Mapping } from './brevo/mapping.ts';
import { readChanged, sidsOf } from './changed-contacts.ts';
import { noticedSince, takeChanges } from './changes.ts';
import { keepCustomers, leaveCustomers, type WantedCustomer } from './customers-table.ts';
import { effectsOf, writePlan } from './effects-table.ts';
import type { Interaction } from './interaction.ts';
import {
  looseInteractions,
  mergedInto,
  mergeInteractions,
  removeInteractions,
  type WrittenInteraction,
  writeInteractions,
} from './interactions-table.ts';
import { type Look, type LookDeps, lookAt } from './look.ts';
import { type EffectPlan, happenedTo, planEffects, type WantedEffect } from './plan.ts';

export interface FollowDeps extends LookDeps {
  db: Db;
  accountSid: AccountSid;
  /** Such as `brevo`. */
  connector: string;
  mapping: Pick<Mapping, 'customer' | 'event'>;
  /** How long an effect waits for late events. */
  settleSeconds: number;
  /** Whether agents' activity by day is kept. */
  agentActivity: boolean;
}

/** What one batch did. */
export interface Followed {
  contacts: number;
  /** Nothing is left, or another process follows. */
  isEnd: boolean;
}

type Sql = Pick<Db, 'query'>;

/** Of one transaction, ms. */
const limitMs = 60_000;
/** A contact that closed so long before the first look at it is of the past, ms. */
const historyMs = 3_600_000;

/** Makes interactions and effects of all contacts that have changed, and counts what agents did, until nothing is left. */
export async function follow(deps: FollowDeps, signal: AbortSignal): Promise<number> {
  let contacts = 0;
  for (;;) {
    signal.throwIfAborted();
    const done = await followBatch(deps);
    contacts += done.contacts;
    if (done.isEnd) return contacts;
  }
}

/** One batch, in one transaction: a process that stops in between loses nothing and plans nothing twice. */
export async function followBatch(deps: FollowDeps): Promise<Followed> {
  const { db, connector, accountSid } = deps;
  await db.query(
    `INSERT INTO connector_notes (connector, name, note) VALUES ($1, 'follow', '{}') ON CONFLICT DO NOTHING`,
    [connector],
  );
  return db.transaction(async (inner) => {
    // One process at a time: two contacts that become one are looked at together.
    const [lock] = await inner.query<object>(
      `SELECT 1 FROM connector_notes WHERE connector = $1 AND name = 'follow' FOR UPDATE SKIP LOCKED`,
      [connector],
    );
    const noticed = lock && (await noticedSince(inner, accountSid, connector));
    if (!noticed) return { contacts: 0, isEnd: true };
    const numbers = await takeChanges(inner);
    const hasDays = await (deps.agentActivity ? followAgentDays : passAgentDays)(inner, connector);
    if (numbers.length === 0) return { contacts: 0, isEnd: !hasDays };
    await followContacts(inner, deps, numbers, noticed);
    return { contacts: numbers.length, isEnd: false };
  }, limitMs);
}

async function followContacts(
  db: Sql,
  deps: FollowDeps,
  numbers: readonly number[],
  noticed: { since: Date; history?: Date },
): Promise<void> {
  const { connector, settleSeconds } = deps;
  const { contacts, rows, loose } = await readChanged(db, connector, numbers);
  await looseInteractions(db, loose);
  const looks = await lookAt(db, deps, contacts, rows, noticed);
  await mergeInteractions(
    db,
    looks.flatMap(({ own, others }) =>
      own ? others.map(({ custodyId }) => ({ custodyId, into: own.custodyId })) : [],
    ),
  );
  const gone = looks.flatMap(({ own, interaction }) => (own && !interaction ? [own] : []));
  await removeInteractions(
    db,
    gone.map(({ custodyId }) => custodyId),
  );
  const live = looks.filter((look): look is Look & { interaction: Interaction } => !!look.interaction);
  const customers = await keepCustomers(db, connector, wantedOf(live), settleSeconds);
  const customerOf = ({ customer }: Look) => customer && customers.get(customer.digest);
  await writeInteractions(
    db,
    connector,
    live.map((look) => writtenOf(look, customerOf(look))),
  );
  const left = looks.flatMap((look) =>
    [look.own, ...look.others].flatMap((row) =>
      row?.customer === undefined || row.customer === customerOf(look) ? [] : [row.customer],
    ),
  );
  await leaveCustomers(db, [...new Set(left)]);
  await planAll(db, deps, live, customerOf);
}

/** Each customer once, as the newest of its interactions has it. */
function wantedOf(looks: readonly (Look & { interaction: Interaction })[]): WantedCustomer[] {
  const found = new Map<string, WantedCustomer>();
  for (const { customer } of looks.toSorted((a, b) => a.interaction.openedAt - b.interaction.openedAt)) {
    if (!customer) continue;
    const before = found.get(customer.digest);
    found.set(customer.digest, { ...customer, isChanged: customer.isChanged || before?.isChanged === true });
  }
  return [...found.values()];
}

function writtenOf(
  { kept, own, interaction }: Look & { interaction: Interaction },
  customer: number | undefined,
): WrittenInteraction {
  const { conversationSid, kind } = interaction;
  const endedAt = endOf(interaction);
  return {
    contact: kept.number,
    ...(customer !== undefined && { customer }),
    interaction,
    sids: sidsOf(kept.contact.keys),
    asksMessages:
      kind === 'text' &&
      conversationSid !== undefined &&
      endedAt !== undefined &&
      endedAt !== (own?.interaction && endOf(own.interaction)),
  };
}

const endOf = ({ conversationEndedAt, closedAt }: Interaction): number | undefined =>
  conversationEndedAt ?? closedAt;

async function planAll(
  db: Sql,
  { connector, mapping, settleSeconds }: FollowDeps,
  looks: readonly (Look & { interaction: Interaction })[],
  customerOf: (look: Look) => number | undefined,
): Promise<void> {
  const ids = looks.map(({ interaction }) => interaction.custodyId);
  const merged = await mergedInto(db, ids);
  const known = await effectsOf(db, connector, [...ids, ...merged.keys()]);
  const all: EffectPlan = { added: [], moved: [], dropped: [] };
  for (const look of looks) {
    const { custodyId } = look.interaction;
    const own = known.filter((effect) => (merged.get(effect.custodyId) ?? effect.custodyId) === custodyId);
    const plan = planEffects(custodyId, wantedEffects(look, mapping, customerOf(look)), own);
    all.added.push(...plan.added);
    all.moved.push(...plan.moved);
    all.dropped.push(...plan.dropped);
  }
  await writePlan(db, connector, all, settleSeconds);
}

function wantedEffects(
  { own, interaction }: Look & { interaction: Interaction },
  mapping: FollowDeps['mapping'],
  customer: number | undefined,
): WantedEffect[] {
  if (customer === undefined) return [];
  const { custodyId, closedAt } = interaction;
  const lookedAt = own?.lookedAt ?? Date.now();
  const isHistory = closedAt !== undefined && closedAt < lookedAt - historyMs;
  return [...happenedTo(interaction)].flatMap(([trigger, happenedAt]) =>
    mapping.event(interaction, trigger) ? [{ custodyId, trigger, customer, happenedAt, isHistory }] : [],
  );
}
