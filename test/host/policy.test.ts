import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../../sandbox/src/stack/ports.ts';
import { describeWhere } from '../support/needs.ts';
import { ownDatabase } from '../support/own-engines.ts';
import { until } from '../support/until.ts';
import { type RealHost, startRealHost } from './real-host.ts';

jest.setTimeout(240_000);

const command = 'server/bin/flex-custody.mjs';
const callerSecret = Buffer.alloc(32, 9).toString('base64');
/** As the sandbox's callers are. */
const caller = '+14155550142';

/** A process of its own, in this environment; `input` on its standard input. */
const run = (words: readonly string[], env: Record<string, string>, input?: string) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const child = execFile(process.execPath, [command, ...words], { env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
    child.stdin?.end(input);
  });

describe('by way of a running host that has the embedded database', () => {
  let host: RealHost;
  let sid: string;
  let file: string;
  const holds = `holds:\n  - {id: case-1, recordings: [RE]}\n  - {id: case-2, callers: ["${caller}"]}\n`;
  let whole: string;
  /** As it is while somebody writes it. */
  let half: string;
  const inForce = async () => JSON.parse((await host.run('policy', 'show', '--json')).out);
  const ids = async () => (await inForce()).holds.map(({ id }: { id: string }) => id);

  beforeAll(async () => {
    host = await startRealHost({ CUSTODY_CALLER_SECRET: callerSecret });
    file = join(host.dataDir, 'policy.yaml');
    [sid = ''] = (await host.place({})).recordings;
    expect((await host.run('reconcile', '--since', '2020-01-01', '--no-bucket')).code).toBe(0);
    await host.reaches(sid, 'verified');
    await until(async () => (await host.show(sid)).caller !== undefined);
    whole = `version: 1\n${holds.replace('[RE]', `[${sid}]`)}`;
    half = whole.slice(0, whole.indexOf('  - {id: case-2'));
  });
  afterAll(() => host.stop());
  const apply = (text: string, ...flags: string[]) => {
    writeFileSync(file, text);
    return host.run('policy', 'apply', file, ...flags);
  };

  test('nothing is in force before the first', async () => {
    expect((await host.run('policy', 'show')).out).toContain('No policy is in force');
    expect((await host.run('policy', 'history')).out).toBe('No policies.\n');
    expect(await host.run('retention')).toMatchObject({
      code: 0,
      out: 'No policy is in force: all recordings are kept.\n',
    });
  });

  test('one that holds more is applied, shown, and kept on record', async () => {
    const dry = await apply(whole, '--dry-run');
    expect([dry.code, dry.out]).toEqual([0, expect.stringContaining(`newly held        1: ${sid}`)]);
    expect(await ids()).toEqual([]);
    const done = await apply(whole, '--by', 'legal team');
    expect(done).toMatchObject({ code: 0, out: expect.stringContaining('New holds: case-1, case-2') });
    // Which host was asked is for --verbose.
    expect(done.err).not.toContain('A running host');
    expect((await host.run('policy', 'show', '--verbose')).err).toContain(
      'A running host has the embedded database',
    );
    const shown = await host.run('policy', 'show');
    expect(shown.out).toContain(`Hold case-2: callers ${caller}.`);
    expect(shown.out).toMatch(/In force since .*, applied by legal team: [0-9a-f]{64}\./);
    expect((await host.run('policy', 'show', '--file')).out).toBe(whole);
    expect((await host.run('policy', 'history')).out).toMatch(/ 0 +2 +for ever +legal team\n$/);
    // A shell without the variable has the same policy.
    expect((await host.run('policy', 'check')).out).toContain('Hold case-1: 1 recordings.');
    expect((await apply(whole)).out).toContain('in force already');
  });

  test.each([
    ['a half-written one', () => half, 'hold case-2 is gone'],
    ['an empty one', () => 'version: 1', `no longer held    1: `],
    ['one of shorter periods', () => `${whole}keep: {default: 30}\n`, 'kept shorter      1: '],
  ])('%s changes nothing without --yes, and says what it would do', async (_what, text, says) => {
    const refused = await apply(text());
    expect([refused.code, refused.out]).toEqual([1, expect.stringContaining(says)]);
    expect(refused.err).toContain(`flex-custody policy apply ${file} --yes`);
    expect(await ids()).toEqual(['case-1', 'case-2']);
  });

  test('one that breaks off in the midst of a line is no policy', async () => {
    expect(await apply(whole.slice(0, -10), '--yes')).toMatchObject({
      code: 1,
      err: expect.stringContaining('policy_invalid'),
    });
    expect(await ids()).toEqual(['case-1', 'case-2']);
  });

  test('with --yes it is applied, also from standard input', async () => {
    const done = await run(['policy', 'apply', '-', '--yes', '--json'], host.env, half);
    expect(JSON.parse(done.out)).toMatchObject({
      applied: true,
      isWeaker: true,
      holds: { gone: ['case-2'] },
      weaker: ['hold case-2 is gone'],
    });
    expect(await ids()).toEqual(['case-1']);
    const history = JSON.parse((await host.run('policy', 'history', '--json')).out);
    expect(history).toMatchObject([{ says: { holds: 1 } }, { says: { holds: 2 }, appliedBy: 'legal team' }]);
    expect(history[0].appliedBy).toContain(' on ');
  });

  test('a host that starts without the variable leaves it in force, and one with a stronger file applies it', async () => {
    await host.restart({});
    expect(await ids()).toEqual(['case-1']);
    writeFileSync(file, whole);
    await host.restart({ CUSTODY_POLICY_FILE: file });
    expect(await ids()).toEqual(['case-1', 'case-2']);
    expect((await inForce()).appliedBy).toMatch(/^start of /);
    chmodSync(file, 0o664);
    expect((await host.run('doctor', '--only', 'policy')).out).toMatch(/FIX\s+policy.*written by others/);
    chmodSync(file, 0o644);
    expect((await host.run('doctor', '--only', 'policy')).out).toMatch(/ok\s+policy\s+0 rules, 2 holds/);
  });

  test("queue names are compared with TaskRouter's", async () => {
    writeFileSync(file, 'version: 1\nkeep: {rules: [{queue: ["everyone ", Nowhere], days: 9}]}\n');
    const check = await host.run('policy', 'check', file);
    expect(check.code).toBe(0);
    expect(check.err.trim()).toBe('Warning: TaskRouter has no queue Nowhere: a rule for it matches no call.');
    expect(JSON.parse((await host.run('policy', 'check', file, '--json')).out)).toMatchObject({
      queues: { compared: true, unknown: ['Nowhere'] },
    });
    // Anywhere, without the host's environment.
    const alone = await run(['policy', 'check', file], { PATH: host.env['PATH'] ?? '' });
    expect([alone.code, alone.err]).toEqual([0, expect.stringContaining('were not compared')]);
    expect(alone.out).toContain('Calls in everyone or Nowhere are kept for 9 days.');
  });

  test('a start that would weaken the policy in force refuses, and says what to type', async () => {
    const env = { ...host.env, CUSTODY_DATA_DIR: join(host.dataDir, 'another'), CUSTODY_POLICY_FILE: file };
    writeFileSync(file, whole);
    expect(await run(['policy', 'apply', file], env)).toMatchObject({ code: 0 });
    writeFileSync(file, half);
    const refused = await run(['serve'], env);
    // 78 tells a supervisor that another try would end the same.
    expect(refused.code).toBe(78);
    expect(refused.err).toContain('hold case-2 is gone');
    expect(refused.err).toContain(`flex-custody policy apply ${file} --yes`);
    expect(refused.err + refused.out).not.toContain(caller.slice(2));
    const shown = await run(['policy', 'show', '--file'], env);
    expect(shown.out).toBe(whole);
    expect(readFileSync(file, 'utf8')).toBe(half);
  });
});

describeWhere('postgresql', 'two hosts on one PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof ownDatabase>>;
  let host: RealHost;
  beforeAll(async () => {
    database = await ownDatabase();
    host = await startRealHost({ CUSTODY_CALLER_SECRET: callerSecret, DATABASE_URL: database.url });
  });
  afterAll(async () => {
    await host.stop();
    await database.drop();
  });

  test('a second one without the file has the same policy, and one with a weaker file does not start', async () => {
    const held = 'version: 1\nholds: [{id: case-1, from: 2026-01-01}]\n';
    const file = join(host.dataDir, 'policy.yaml');
    writeFileSync(file, held);
    await host.restart({ CUSTODY_POLICY_FILE: file });
    const old = join(host.dataDir, 'yesterday.yaml');
    writeFileSync(old, 'version: 1\n');
    const [port = 0, ops = 0] = await freePorts(2);
    const { CUSTODY_POLICY_FILE: _, ...without } = {
      ...host.env,
      PORT: String(port),
      CUSTODY_OPS_PORT: String(ops),
    } as Record<string, string>;
    expect(await run(['serve'], { ...without, CUSTODY_POLICY_FILE: old })).toMatchObject({
      code: 78,
      err: expect.stringContaining('hold case-1 is gone'),
    });
    const second: ChildProcess = spawn(process.execPath, [command, 'serve'], {
      env: without,
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => second.once('exit', resolve));
    try {
      await until(() =>
        fetch(`http://127.0.0.1:${port}`).then(
          ({ ok }) => ok,
          () => false,
        ),
      );
      expect((await run(['policy', 'show', '--file'], without)).out).toBe(held);
      expect(JSON.parse((await run(['policy', 'history', '--json'], without)).out)).toHaveLength(1);
    } finally {
      second.kill('SIGTERM');
      await ended;
    }
  });
});
