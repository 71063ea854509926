import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountSid } from '@flex-custody/core';
import { seeded } from '../../sandbox/src/agent-events/misbehaviour.ts';
import { readBrevoFile } from '../../server/src/connectors/brevo/config/file.ts';
import { createMapping } from '../../server/src/connectors/brevo/create-mapping.ts';
import { wantedContact } from '../../server/src/connectors/brevo/wanted-contact.ts';
import type { Interaction } from '../../server/src/connectors/interaction.ts';
import { mostInteractions } from '../../server/src/connectors/outbox-table.ts';
import { happenedTo } from '../../server/src/connectors/plan.ts';
import { totalsOf } from '../../server/src/connectors/totals.ts';
import { createInbox } from '../../server/src/events/create-inbox.ts';
import { contactsOf } from '../../server/src/recorder/sessions/contacts-of.ts';
import { received } from '../../server/src/recorder/sessions/testing/cloud-event.ts';
import { Story } from '../../server/src/recorder/sessions/testing/story.ts';
import {
  type BrevoHost,
  customersEvents,
  emailOf,
  type HostProcess,
  openBrevoHost,
  phoneOf,
} from '../support/brevo-host.ts';
import { describeWhere } from '../support/needs.ts';
import { until } from '../support/until.ts';

const count = Number(process.env['TEST_INTERACTIONS'] ?? 400);
/** Only what fails waits it out. */
const longestMs = 300_000 + count * 60;
const kills = 5;
const seed = Number(process.env['TEST_SEED'] ?? 17);
const account = Story.common('AC', 'account') as AccountSid;

/** Customers whose telephone another contact of Brevo has already. */
const collided = [3, 6, 9].filter((customer) => customer < count / 3);

const file = `
consent: all
plan_factor: 50
settle_seconds: 3600
resend_uncertain_after: 0.05
create_attributes: true
csat:
  measure: conversation_measure_1
lists:
  support_contacts: 3
  csat_respondents: 4
`;

describeWhere('postgresql', 'Brevo, while the host is killed', () => {
  let folder: string;
  let host: BrevoHost;
  let running: HostProcess | undefined;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'brevo-load-'));
    host = await openBrevoHost(folder, process.env['TEST_DATABASE_URL'] ?? '', file);
  });
  afterAll(async () => {
    await running?.kill();
    await host.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const rowsOf = async (sql: string) =>
    // Before the first process has migrated the database, the tables are missing.
    (await host.db.query<{ n: number }>(sql).catch(() => []))[0]?.n ?? 0;
  const isFollowed = async () =>
    (await rowsOf(
      `SELECT CASE WHEN (SELECT max(seq) FROM agent_events) <= (SELECT position::bigint FROM session_place)
         AND NOT EXISTS (SELECT FROM connector_changes) THEN 1 ELSE 0 END AS n`,
    )) === 1;
  const isAtEnd = async () =>
    (await rowsOf(
      `SELECT CASE WHEN EXISTS (SELECT FROM connector_effects WHERE state IN ('waiting', 'sending', 'uncertain'))
         OR EXISTS (SELECT FROM connector_customers WHERE state = 'waiting') THEN 0 ELSE 1 END AS n`,
    )) === 1 && (await isFollowed());
  /** The claims and tries of a dead process last for minutes, which this test does not wait. */
  const endClaims = () =>
    host.db.query(`UPDATE connector_customers SET claimed_until = now() - interval '1 s', due_at = now() WHERE claim IS NOT NULL;
      UPDATE connector_effects SET try_until = now() - interval '1 s' WHERE state = 'sending';
      UPDATE connector_effects SET due_at = now() WHERE state IN ('waiting', 'uncertain') AND due_at > now() + interval '20 s'`);

  test(
    `${count} interactions, duplicated and in any order, over faults and ${kills} kills: each contact is right, each event is there once`,
    async () => {
      const random = seeded(seed);
      const { brevo, db, sandbox } = host;
      Object.assign(brevo.settings, { limits: 50, collisionCode: 'both' });
      for (const customer of collided) {
        const headers = { 'api-key': brevo.apiKey, 'content-type': 'application/json' };
        const body = JSON.stringify({
          email: `holder-${customer}@example.com`,
          attributes: { SMS: phoneOf(customer) },
        });
        const made = await fetch(`${sandbox.brevo.localUrl}/contacts`, { method: 'POST', headers, body });
        expect(made.status).toBe(201);
      }
      const many = { times: Math.ceil(count / 20) };
      brevo.faults.add({ kind: 'status', status: 429, every: 61, ...many });
      brevo.faults.add({ kind: 'status', status: 503, every: 53, ...many });
      brevo.faults.add({ kind: 'reset-after', match: 'POST /events', every: 47, times: 6 });
      brevo.faults.add({ kind: 'reset-before', match: 'POST /events', every: 59, times: 4 });
      brevo.faults.add({ kind: 'status-after', status: 500, match: 'POST /contacts', every: 43, times: 6 });

      const events = customersEvents(count);
      const put = [...events, ...events.filter((_, index) => index % 20 === 0)]
        .map((event) => ({ event, order: random() }))
        .sort((a, b) => a.order - b.order)
        .map(({ event }) => event);
      running = await host.start();
      await until(
        async () => (await rowsOf(`SELECT count(*)::int AS n FROM marks WHERE name = 'connectors'`)) === 1,
      );
      // Contacts of before the connector was switched on are sent only by an import of the past.
      await db.query(
        `UPDATE marks SET mark = jsonb_build_object('since', now() - interval '3 days') WHERE name = 'connectors'`,
      );
      const inbox = createInbox({ db, accounts: [account], log: { warn: () => undefined } });
      for (let at = 0; at < put.length; at += 500)
        await inbox.take(put.slice(at, at + 500), { source: 'webhook' });

      await until(async () => (await rowsOf('SELECT count(*)::int AS n FROM connector_interactions')) > 0);
      await running.kill();
      await db.query(
        `UPDATE connector_customers SET claimed_until = now() - interval '1 s' WHERE claim IS NOT NULL`,
      );
      running = await host.start();
      // An event of an interaction is sent once it has settled: here after all of it has come.
      await until(isFollowed, longestMs);
      expect(brevo.events.all()).toEqual([]);
      await db.query(`UPDATE connector_effects SET due_at = now() WHERE state = 'waiting';
        UPDATE connector_customers SET due_at = now() WHERE state = 'waiting'`);
      for (let kill = 1; kill < kills; kill += 1) {
        const least = (count * (kill - 1 + random())) / (kills - 1);
        await until(() => brevo.events.all().length >= least, longestMs);
        await running.kill();
        await endClaims();
        running = await host.start();
      }
      await until(isAtEnd, longestMs);

      const states = await db.query<{ state: string; n: number }>(
        `SELECT state, count(*)::int AS n FROM connector_effects WHERE state NOT IN ('sent', 'dropped') GROUP BY state`,
      );
      expect(states).toEqual([]);
      expect(brevo.earned429).toBe(0);
      const contacts = contactsOf(events.map(received)).filter(({ direction }) => direction !== 'internal');
      const rows = await db.query<{ customer: number | null; interaction: Interaction }>(
        'SELECT customer, interaction FROM connector_interactions WHERE interaction IS NOT NULL ORDER BY opened_at',
      );
      expect(rows).toHaveLength(contacts.length);

      const read = readBrevoFile(`account_sid: ${account}\n${file}`, account);
      if ('faults' in read) throw new Error(read.faults.join('\n'));
      const mapping = createMapping(read.config);
      const expected = rows.flatMap(({ customer, interaction }) =>
        customer === null
          ? []
          : [...happenedTo(interaction).keys()].flatMap((trigger) => {
              const event = mapping.event(interaction, trigger);
              return event ? [`${interaction.custodyId} ${event.name}`] : [];
            }),
      );
      const got = brevo.events.all().map(({ name, properties }) => `${properties['custody_id']} ${name}`);
      expect(expected.length).toBeGreaterThan(count);
      expect(got.sort()).toEqual(expected.sort());

      const byCustomer = new Map<number, { interaction: Interaction }[]>();
      for (const { customer, interaction } of rows)
        if (customer !== null)
          byCustomer.set(customer, [...(byCustomer.get(customer) ?? []), { interaction }]);
      const totals = await totalsOf(db, [...byCustomer.keys()]);
      for (const [customer, own] of byCustomer) {
        const sums = totals.get(customer);
        if (!sums) throw new Error('a customer without totals');
        const wanted = wantedContact(
          mapping,
          own.slice(-mostInteractions).map(({ interaction }) => interaction),
          sums,
        );
        // A number of WhatsApp and the same one as a telephone are two contacts, as they are two identifiers.
        const { email, extId, phone, whatsapp } = wanted.identifiers;
        const found =
          (email && brevo.contacts.by('email', email)) ||
          (extId && brevo.contacts.by('ext_id', extId)) ||
          (phone && brevo.contacts.by('SMS', phone.slice(1))) ||
          (whatsapp && brevo.contacts.by('WHATSAPP', whatsapp.slice(1))) ||
          undefined;
        expect(Object.fromEntries(found?.attributes ?? [])).toMatchObject(wanted.attributes);
        expect([...(found?.listIds ?? [])]).toEqual(expect.arrayContaining([...wanted.listIds]));
      }
      for (const customer of collided) {
        const holder = brevo.contacts
          .all()
          .find((one) => one.identifiers.get('email') === `holder-${customer}@example.com`);
        expect(holder?.attributes.get('TOTAL_CONVERSATIONS')).toBeUndefined();
        expect(emailOf(customer)).toBeDefined();
      }
    },
    longestMs,
  );
});
