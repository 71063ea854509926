import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountSid } from '@flex-custody/core';
import { createAlarms } from '../../alarms/alarms.ts';
import type { Db } from '../../db/db.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { connectorsRoom } from './connectors.ts';
import type { Shared } from './shared.ts';

const accountSid = `AC${'0a'.repeat(16)}` as AccountSid;
const folder = mkdtempSync(join(tmpdir(), 'connectors-room-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'brevo.yaml');
jest.setTimeout(120_000);

onEachEngine('the room of connectors', (open) => {
  let opened: TestDatabase;
  let db: Db;
  const limits: object[] = [];
  beforeAll(async () => {
    opened = await open();
    db = opened.db;
    await migrate(db);
  });
  beforeEach(async () => {
    await db.query(
      'TRUNCATE alarms, marks, contacts, connector_changes, connector_effects RESTART IDENTITY CASCADE',
    );
    limits.length = 0;
  });
  afterAll(() => opened.drop());

  const room = (text?: string) => {
    if (text !== undefined)
      writeFileSync(file, `account_sid: ${accountSid}\nconsent: all\n${text}`, { mode: 0o600 });
    const log = { info: () => undefined, warn: () => undefined, child: () => log };
    return connectorsRoom({
      ...{ db, log, alarms: createAlarms(db) },
      config: {
        ...{ accountSid, flexOrigins: [], authToken: 'a'.repeat(32), mediaSecret: new Uint8Array(32) },
        ...(text !== undefined && { brevo: { file, apiKey: 'xkeysib-0123456789abcdef' } }),
      },
      twilio: { limits: { set: (rates: object) => limits.push(rates) } },
    } as unknown as Shared);
  };
  const marks = async () =>
    (await db.query<{ name: string }>('SELECT name FROM marks')).map(({ name }) => name);
  const openAlarms = async () => (await createAlarms(db).list({ open: true })).map(({ code }) => code).sort();
  const changeContact = (number: number) =>
    db.query(
      `INSERT INTO contacts (number, id, kind, opened_at, contact, shown_at)
       OVERRIDING SYSTEM VALUE VALUES ($1, $2, 'voice', now(), '{}', now())`,
      [number, `WT${number}`],
    );
  const changes = async () =>
    (await db.query<{ contact: number }>('SELECT contact FROM connector_changes')).map(
      ({ contact }) => contact,
    );

  test('on: it offers a route, consumers, jobs, works and a metric, and changes of contacts are noted', async () => {
    const on = room('');
    expect(on.routes).toHaveLength(1);
    expect(on.consumers?.map(({ name }) => name)).toEqual(['connector-changes', 'connector-delivery']);
    expect(on.jobs?.map(({ job }) => job.name).sort()).toEqual([
      'forget',
      'messages',
      'outbox',
      'task-complete',
    ]);
    expect(Object.keys(on.works ?? {}).sort()).toEqual(['connector-sync', 'connector-test']);
    expect(await on.metrics?.connector?.()).toMatchObject({
      states: { waiting: 0, failed: 0 },
      oldestDueMs: 0,
    });
    await changeContact(1);
    expect(await changes()).toEqual([]);
    await on.begin?.();
    expect(await marks()).toEqual(['connectors']);
    expect(limits).toHaveLength(1);
    await changeContact(2);
    expect(await changes()).toEqual([2]);
  });

  test.each([
    ['without a file', undefined],
    ['with a file that says so', 'enabled: false\n'],
  ])('off %s: nothing runs, what was noted goes, and its alarms are resolved', async (_how, text) => {
    await room('').begin?.();
    await changeContact(1);
    const alarms = createAlarms(db);
    for (const code of [
      'brevo_paused',
      'brevo_behind',
      'brevo_uncertain',
      'brevo_failed',
      'sign_failed',
    ] as const)
      await alarms.raise(code, undefined, 'x');
    const off = room(text);
    expect([off.routes, off.consumers, off.jobs, off.metrics]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(Object.keys(off.works ?? {})).toEqual(['connector-sync', 'connector-test']);
    await off.begin?.();
    expect(await marks()).toEqual([]);
    expect(await changes()).toEqual([]);
    expect(await openAlarms()).toEqual(['sign_failed']);
    await changeContact(2);
    expect(await changes()).toEqual([]);
  });

  test('a file with a fault ends the start', () => {
    expect(() => room('plan: gold\n')).toThrow(expect.objectContaining({ code: 'brevo_invalid' }));
  });
});
