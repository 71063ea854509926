import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import { type Stack, startStack } from '../../sandbox/src/stack/index.ts';
import type { Db } from '../../server/src/db/db.ts';
import { openDatabase } from '../../server/src/db/open.ts';
import { describeWhere } from '../support/needs.ts';
import { until } from '../support/until.ts';

jest.setTimeout(180_000);

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** `flex-custody …` as a process of its own. */
function begin(words: readonly string[], env: Readonly<Record<string, string>>, input = '') {
  const child = spawn(process.execPath, ['server/bin/flex-custody.mjs', ...words], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.err += chunk.toString();
  });
  child.stdin.end(input);
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, ...said })));
  return { child, ended };
}

const email = 'erik.ek@customer.example';
const past = ['sync', 'brevo', '--type', 'full', '--since', '1d'];

describeWhere('postgresql', 'the connector, by its commands', () => {
  const name = `connector_${randomBytes(6).toString('hex')}`;
  let folder: string;
  let stack: Stack;
  let admin: Db;
  let db: Db;
  /** The task of a customer with an e-mail address. */
  let message: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'connector-'));
    const url = new URL(process.env['TEST_DATABASE_URL'] ?? '');
    admin = await openDatabase({ url: url.href });
    await admin.query(`CREATE DATABASE ${name}`);
    url.pathname = `/${name}`;
    stack = await startStack({ dataDir: folder, brevo: true, databaseUrl: url.href });
    db = await openDatabase({ url: url.href });
    // No event of these reaches the host: nothing is subscribed yet.
    await earlier(async () => {
      await control('stories', { story: 'answered' });
      message = (await control<{ task: string }>('texts', { channel: 'whatsapp' })).task;
    });
    for (const address of ['+34600111001', '+34600111002'])
      await control('conversations', { channel: 'sms', address, ageSeconds: 7_200 });
  });
  afterAll(async () => {
    await stack?.close();
    await db?.close();
    await admin?.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin?.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  });

  const control = async <T>(path: string, body?: object, method = 'POST'): Promise<T> => {
    const headers = { 'content-type': 'application/json' };
    const init = body ? { method, headers, body: JSON.stringify(body) } : { method };
    const answer = await fetch(`${stack.urls.sandbox}/sandbox/${path}`, init);
    expect(answer.status).toBe(200);
    return (await answer.json()) as T;
  };
  /** Ends some minutes ago, by the clock of the sandbox, which runs in this process: an import leaves the last minute to the stream. */
  const earlier = async (work: () => Promise<void>) => {
    const now = Date.now;
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() - 10 * 60_000);
    await work().finally(() => clock.mockRestore());
  };
  const connector = (...words: string[]) => begin(['connector', ...words], stack.hostEnvironment).ended;
  /** The value that a command prints for programs. */
  const read = async <T>(...words: string[]): Promise<T> => {
    const { code, out, err } = await connector(...words, '--json');
    if (code !== 0) throw new Error(`${words.join(' ')}: ${code}\n${out}\n${err}`);
    return JSON.parse(out) as T;
  };
  const brevo = () => stack.sandbox.brevo.account;
  const sent = () =>
    brevo()
      .events.all()
      .map(({ name: event, properties }) => `${event} ${properties['channel']}`)
      .sort();
  const count = async (sql: string) => (await db.query<{ n: number }>(sql))[0]?.n ?? 0;
  const settled = () =>
    until(
      async () =>
        (await count(
          `SELECT (SELECT count(*) FROM connector_effects WHERE state IN ('waiting', 'sending', 'uncertain'))::int
             + (SELECT count(*) FROM connector_changes)::int
             + (SELECT count(*) FROM connector_customers WHERE state = 'waiting')::int
             + (SELECT CASE WHEN (SELECT max(seq) FROM agent_events) = (SELECT position::bigint FROM session_place)
                 THEN 0 ELSE 1 END) AS n`,
        )) === 0,
    );
  const wanted = [
    'CONVERSATION_ENDED sms',
    'CONVERSATION_ENDED sms',
    'CONVERSATION_ENDED whatsapp',
    'SUPPORT_REQUESTED voice',
    'SUPPORT_REQUESTED whatsapp',
    'SUPPORT_RESOLVED voice',
    'SUPPORT_RESOLVED whatsapp',
  ];

  test('a dry run counts what is missing, and changes nothing', async () => {
    expect(await read(...past, '--dry-run')).toMatchObject({
      dryRun: true,
      counts: { conversations: 3, contacts: 0 },
    });
    expect(await count('SELECT count(*)::int AS n FROM agent_events')).toBe(0);
    expect(sent()).toEqual([]);
  });

  test('an import that is killed continues, and Brevo has each event once', async () => {
    await control('faults', { target: 'conversations', kind: 'stall', match: '/v1/Conversations?' });
    const first = begin(['connector', ...past], stack.hostEnvironment);
    await until(async () => (await control<{ faults: [] }>('faults', undefined, 'GET')).faults.length === 0);
    first.child.kill('SIGKILL');
    expect((await first.ended).code).toBeNull();
    // Its claim on the run lasts for a minute.
    await db.query(`UPDATE runs SET held_until = now() - interval '1 s' WHERE name = 'connector-sync'`);
    const second = await connector(...past);
    expect(second.err).toContain('Continues the run of');
    expect(second.code).toBe(0);
    await until(() => sent().length >= wanted.length);
    await settled();
    expect(sent()).toEqual(wanted);
    expect((await connector('sync', 'brevo')).code).toBe(0);
    await settled();
    expect(sent()).toEqual(wanted);
  });

  test('status: what was sent, and until when the past was read', async () => {
    expect(await read('status', 'brevo')).toMatchObject({
      ...{ connector: 'brevo', connected: true, pending: 0, failed: 0, uncertain: 0 },
      ...{ conversationsTracked: 4, customersLinked: 4 },
      imports: expect.arrayContaining([
        expect.objectContaining({ resource: 'tasks' }),
        expect.objectContaining({ resource: 'conversations' }),
      ]),
    });
  });

  test('explain: what was sent of a task and why; values only with an entry of the audit log', async () => {
    const { out, code } = await connector('explain', message);
    expect(code).toBe(0);
    expect(out).toMatch(/SUPPORT_RESOLVED +sent/);
    expect(out).not.toContain(email);
    const audited = `SELECT count(*)::int AS n FROM audit WHERE action = 'connector.values'`;
    expect(await count(audited)).toBe(0);
    const values = await connector('explain', message, '--values');
    expect(values.out).toContain(email);
    expect(await count(audited)).toBe(1);
    const none = await connector('explain', `WT${'a'.repeat(32)}`);
    expect(none.code).toBe(1);
    expect(none.out).toContain(`Nothing of WT${'a'.repeat(32)} is sent`);
  });

  test('report: what each agent handled', async () => {
    const rows = await read<{ handled: number }[]>('report');
    expect(rows.reduce((sum, { handled }) => sum + handled, 0)).toBe(2);
  });

  test('what Brevo refuses is listed, and sent again when it is asked for', async () => {
    const added = ['CONVERSATION_ENDED webchat', 'SUPPORT_REQUESTED webchat', 'SUPPORT_RESOLVED webchat'];
    stack.sendAgentEvents();
    brevo().faults.add({ kind: 'status', status: 400, match: 'POST /events', times: 0 });
    await control('texts', { channel: 'webchat' });
    const refused = `SELECT count(*)::int AS n FROM connector_effects WHERE state = 'failed'`;
    await until(async () => (await count(refused)) === added.length);
    const failed = await read<{ eventName: string; code: string }[]>('failed');
    expect(failed.map(({ eventName, code }) => `${eventName} webchat ${code}`).sort()).toEqual(
      added.map((one) => `${one} invalid_parameter`),
    );
    brevo().faults.clear();
    expect((await connector('retry', '--all')).out).toBe('3 wait to be sent again.\n');
    await until(() => sent().length === wanted.length + added.length);
    await settled();
    expect(sent()).toEqual([...wanted, ...added].sort());
    expect((await connector('failed')).out).toBe('No failed events.\n');
  });

  test('test: a line for each check, and one marked event', async () => {
    const { out, code } = await connector('test', 'brevo', '--send-event', '--since', '1d');
    expect(out).not.toMatch(/^FIX/m);
    expect(code).toBe(0);
    expect(out).toMatch(/^ok +brevo-account/m);
    expect(out).toContain('Nothing must be fixed.');
    await until(() => sent().some((one) => one.startsWith('FLEX_CUSTODY_TEST')));
    brevo().settings.refuses = 'key';
    const refused = await connector('test', 'brevo');
    brevo().settings.refuses = 'nothing';
    expect(refused.out).toMatch(/^FIX /m);
    expect(refused.out).toMatch(/→/);
    expect(refused.code).toBe(1);
  });

  test('a task whose events were lost comes in by the webhook for completed tasks', async () => {
    await control('agent-events/behaviour', { loseOneIn: 1 });
    const { task } = await control<{ task: { sid: string } }>('stories', { story: 'hold' });
    const before = sent().filter((one) => one === 'SUPPORT_RESOLVED voice').length;
    const fields = { TaskSid: task.sid, EventType: 'task.completed' };
    const path = '/webhooks/flex/task-complete';
    const { TWILIO_AUTH_TOKEN: token = '', CUSTODY_PUBLIC_URL: publicUrl = '' } = stack.hostEnvironment;
    const answer = await fetch(stack.urls.server + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': getExpectedTwilioSignature(token, publicUrl + path, fields),
      },
      body: new URLSearchParams(fields).toString(),
    });
    expect(answer.status).toBe(202);
    await until(() => sent().filter((one) => one === 'SUPPORT_RESOLVED voice').length === before + 1);
    const { out } = await connector('status', 'brevo');
    expect(out).toMatch(/^connected +yes$/m);
    expect(out).toMatch(/^history of tasks +2/m);
    expect(out).toMatch(/^last webhook +2/m);
  });
});
