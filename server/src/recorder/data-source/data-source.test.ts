import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountSid, WorkerSid, WorkspaceSid } from '@flex-custody/core';
import { until } from '../../../../test/support/until.ts';
import { createAudit } from '../../access/audit.ts';
import { createAlarms } from '../../alarms/alarms.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import type { Secrets } from '../../secrets/secrets.ts';
import { type Change, createDataSource, type DataSourceDeps, type DataSources } from './data-source.ts';
import { createEmployees } from './employees.ts';
import { pausing } from './pausing.ts';
import { createVersions } from './versions.ts';
import { watchDataSource } from './watch.ts';

const accountSid = `AC${'0a'.repeat(16)}` as AccountSid;
const workspaceSid = `WS${'0b'.repeat(16)}` as WorkspaceSid;
const worker = `WK${'0c'.repeat(16)}` as WorkerSid;
const start = Date.parse('2026-11-30T12:00:00Z');

/** As the store of secrets has them. */
function keptSecrets() {
  const values = new Map<string, string>();
  const secrets: Secrets = {
    get: async (name) => values.get(name),
    set: async (name, value) => void values.set(name, value),
    list: async () => [...values.keys()].map((name) => ({ name, setAt: new Date(0), by: 'cli' })),
    remove: async (name) => values.delete(name),
  };
  return { secrets, values };
}

onEachEngine('the data source', (open) => {
  let database: TestDatabase;
  let folder: string;
  let employeesFile: string;
  let kept: ReturnType<typeof keptSecrets>;
  let now: number;
  let isAway: boolean;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await database.db.query('TRUNCATE data_source_versions; TRUNCATE alarms CASCADE; TRUNCATE audit');
    folder = mkdtempSync(join(tmpdir(), 'data-source-'));
    employeesFile = join(folder, 'employees.yaml');
    kept = keptSecrets();
    now = start;
    isAway = false;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const make = (more: Partial<DataSourceDeps> = {}): DataSources =>
    createDataSource({
      accountSid,
      file: undefined,
      pauseSet: undefined,
      versions: createVersions({
        query: async (...args) => {
          if (isAway) throw new Error('away');
          return database.db.query(...args);
        },
      }),
      secrets: kept.secrets,
      readEmployees: createEmployees({
        file: employeesFile,
        taskRouter: () => ({
          workspaceSid,
          worker: async (sid) => {
            if (isAway) throw new Error('away');
            return sid === worker ? { sid, friendlyName: 'ada', attributes: '{}' } : undefined;
          },
        }),
      }),
      audit: createAudit(database.db),
      alarms: createAlarms(database.db),
      now: () => now,
      lookMs: 1,
      ...more,
    });
  const change = (source: DataSources, settings: object, over: number, more: Partial<Change> = {}) =>
    source.change({ settings, over, by: 'ada', ...more });
  const openAlarms = async () =>
    (await createAlarms(database.db).list({ open: true })).map(({ code }) => code);
  const audited = () =>
    database.db.query<{ viewer: string; reason: string; sid: string }>(
      'SELECT viewer, reason, recording_sid AS sid FROM audit ORDER BY id',
    );
  const employees = (text: string) => writeFileSync(employeesFile, `employees:\n${text}`, { mode: 0o600 });

  test('none were ever saved: readers get none, people see the defaults', async () => {
    const source = make();
    expect(await source.current()).toBeUndefined();
    expect(await source.view()).toMatchObject({
      version: 0,
      settings: { longCallMinutes: 120, secretAccessKey: 'unset' },
    });
    expect(await source.history(10)).toEqual([]);
  });

  test('each change is a version, with who and why, and stays on record', async () => {
    const source = make();
    expect(await change(source, { longCallMinutes: 60 }, 0, { comment: 'first' })).toEqual({
      ...{ version: 1, isSaved: true, faults: [], warnings: [] },
      changed: ['longCallMinutes'],
    });
    expect(await change(source, { longCallMinutes: 90, tenant: 'North' }, 1, { by: 'bob' })).toMatchObject({
      version: 2,
      changed: ['longCallMinutes', 'tenant'],
    });
    expect(await source.history(10)).toMatchObject([
      { version: 2, by: 'bob', settings: { longCallMinutes: 90, tenant: 'North' }, setAt: expect.any(Date) },
      { version: 1, by: 'ada', comment: 'first', settings: { longCallMinutes: 60, longHoldMinutes: 30 } },
    ]);
    expect(await source.current()).toMatchObject({ version: 2, settings: { tenant: 'North' } });
    expect(await audited()).toMatchObject([
      { viewer: 'operator', reason: 'operator', sid: accountSid },
      { viewer: 'operator' },
    ]);
  });

  test('what is equal, a dry run and what has a fault change nothing', async () => {
    const source = make();
    await change(source, { longCallMinutes: 60 }, 0);
    expect(await change(source, { longCallMinutes: 60 }, 1)).toMatchObject({ isSaved: false, changed: [] });
    expect(await change(source, { longCallMinutes: 61 }, 1, { dryRun: true })).toMatchObject({
      isSaved: false,
      changed: ['longCallMinutes'],
    });
    expect(await change(source, { longCallMinutes: 0 }, 1)).toMatchObject({
      isSaved: false,
      faults: [expect.stringMatching(/^longCallMinutes must be .* 1 to 1440/)],
    });
    expect(await source.history(10)).toHaveLength(1);
    expect(await audited()).toHaveLength(1);
  });

  test('a change on another version than the current one is refused', async () => {
    const source = make();
    await change(source, { longCallMinutes: 60 }, 0);
    for (const over of [0, 2])
      await expect(change(source, { longCallMinutes: 70 }, over)).rejects.toMatchObject({
        ...{ code: 'data_source_changed', status: 412 },
        message: expect.stringContaining('read it again'),
      });
  });

  test('a dry run and a fault on another version say so first', async () => {
    for (const more of [{ dryRun: true }, { settings: { longCallMinutes: 0 } }])
      await expect(change(make(), { longCallMinutes: 70 }, 3, more)).rejects.toMatchObject({
        code: 'data_source_changed',
      });
  });

  test('of two versions behind the same one, the second waits for the first and is refused', async () => {
    let second: Promise<unknown> = Promise.resolve();
    await database.db.transaction(async (inner) => {
      await createVersions(inner).append({ settings: {}, by: 'ada' }, 0);
      second = createVersions(database.db)
        .append({ settings: {}, by: 'bob' }, 0)
        .catch((error: unknown) => error);
      // PostgreSQL has begun the second one before the first one ends; the embedded database has one session.
      if (database.another)
        await until(async () => {
          const waiting = await inner.query(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'",
          );
          return waiting.length > 0;
        });
    });
    expect(await second).toMatchObject({ code: 'data_source_changed' });
  });

  test('of versions behind the same one the database takes one, and none behind one that is not there', async () => {
    const versions = createVersions(database.db);
    const all = await Promise.allSettled(
      Array.from({ length: 10 }, (_, at) => versions.append({ settings: { at }, by: 'ada' }, 0)),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const one of all)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'data_source_changed' });
    await expect(versions.append({ settings: {}, by: 'ada' }, 5)).rejects.toMatchObject({
      code: 'data_source_changed',
    });
    expect(await versions.history(9)).toHaveLength(1);
  });

  test('of ten changes at once on one version, one is saved, and the others leave the secrets as they are', async () => {
    const all = await Promise.allSettled(
      Array.from({ length: 10 }, (_, at) =>
        change(
          make(),
          { specifyCredentials: true, accessKeyId: `AKIA${at}`, secretAccessKey: `secret-${at}` },
          0,
        ),
      ),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const one of all)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'data_source_changed' });
    const [version] = await make().history(10);
    const { accessKeyId } = (version?.settings ?? {}) as { accessKeyId: string };
    expect(kept.values.get('data-source/secretAccessKey')).toBe(`secret-${accessKeyId.slice(4)}`);
  });

  test('secrets are kept apart, shown as set, and left or removed', async () => {
    const source = make();
    const credentials = { specifyCredentials: true, accessKeyId: 'AKIA' };
    const set = await change(source, { ...credentials, secretAccessKey: 'hush-hush' }, 0);
    expect(set.changed).toContain('secretAccessKey');
    const view = await source.view();
    expect(view.settings).toMatchObject({ secretAccessKey: 'set', twilioAuthToken: 'unset' });
    const stored = await database.db.query<{ text: string }>(
      "SELECT concat_ws(' ', (SELECT json_agg(v)::text FROM data_source_versions v), (SELECT json_agg(a)::text FROM audit a)) AS text",
    );
    expect(JSON.stringify([set, view, stored, await source.history(9)])).not.toContain('hush');
    // What people see can be sent back.
    expect(await change(source, view.settings, 1)).toMatchObject({ isSaved: false, changed: [], faults: [] });
    expect(kept.values.get('data-source/secretAccessKey')).toBe('hush-hush');
    expect(await change(source, { ...credentials, secretAccessKey: 'unset' }, 1)).toMatchObject({
      faults: [expect.stringContaining('secretAccessKey is missing')],
    });
    expect(await change(source, { secretAccessKey: 'unset' }, 1)).toMatchObject({ isSaved: true });
    expect([...kept.values.keys()]).toEqual([]);
  });

  test("another process's change is seen after 5 s at most, one's own at once", async () => {
    const [one, other] = [make(), make()];
    await change(one, { longCallMinutes: 60 }, 0);
    expect((await other.current())?.version).toBe(1);
    await change(one, { longCallMinutes: 61 }, 1);
    expect((await one.current())?.version).toBe(2);
    expect((await other.current())?.version).toBe(1);
    now += 5_000;
    expect((await other.current())?.version).toBe(2);
    // The host's clock is set back by hours.
    await change(one, { longCallMinutes: 62 }, 2);
    now -= 5 * 3_600_000;
    expect((await other.current())?.version).toBe(3);
  });

  test('a consumer waits for another version, and no longer than its signal', async () => {
    const source = make();
    await change(source, { longCallMinutes: 60 }, 0);
    await source.onChange(undefined, new AbortController().signal);
    const changed = source.onChange(1, new AbortController().signal);
    await change(make(), { longCallMinutes: 61 }, 1);
    now += 5_000;
    await changed;
    const gone = new AbortController();
    const waiting = source.onChange(2, gone.signal);
    isAway = true;
    now += 5_000;
    gone.abort();
    await waiting;
  });

  test("the host's account, and pausing as the environment has it, must fit", async () => {
    const other = `AC${'0d'.repeat(16)}`;
    const given = { twilioAccountSid: other, twilioAuthToken: '0a'.repeat(16) };
    expect((await change(make(), given, 0)).faults).toEqual([
      expect.stringContaining('twilioAccountSid is not the account of this host'),
    ]);
    const mayPause = { advanced: { TwilioEnablePauseResume: 'True' } };
    expect((await change(make({ pauseSet: false }), mayPause, 0)).faults).toEqual([
      expect.stringMatching(/^advanced.TwilioEnablePauseResume is True, .* says False: make both equal/),
    ]);
    for (const pauseSet of [undefined, true])
      expect((await change(make({ pauseSet }), mayPause, 0, { dryRun: true })).faults).toEqual([]);
  });

  test('pausing follows the data source before the environment, and survives an outage', async () => {
    const source = make();
    const own = { enabled: false, behavior: 'silence', resumeAfterSeconds: 600 } as const;
    const pause = pausing(own, async () => (await source.current())?.settings);
    expect(await pause()).toEqual(own);
    await change(source, { advanced: { TwilioEnablePauseResume: 'True' } }, 0);
    expect(await pause()).toEqual({ ...own, enabled: true });
    isAway = true;
    now += 5_000;
    expect(await pause()).toEqual({ ...own, enabled: true });
    isAway = false;
    await change(source, { advanced: { TwilioEnablePauseResume: 'False' } }, 1);
    expect(await pause()).toEqual(own);
  });

  test('stored settings that this release cannot read leave the last good ones, with an alarm', async () => {
    const source = make();
    await change(source, { longCallMinutes: 60 }, 0);
    await source.current();
    const store = (settings: object, over: number) =>
      createVersions(database.db).append({ settings, by: 'a later release' }, over);
    await store({ longCallMinutes: 5_000 }, 1);
    now += 5_000;
    expect(await source.current()).toMatchObject({ version: 1, settings: { longCallMinutes: 60 } });
    expect(await openAlarms()).toEqual(['data_source_invalid']);
    await store({ longCallMinutes: 50 }, 2);
    now += 5_000;
    expect(await source.current()).toMatchObject({ version: 3 });
    expect(await openAlarms()).toEqual([]);
  });

  describe('a file that rules', () => {
    let file: string;
    beforeEach(() => {
      file = join(folder, 'data-source.yaml');
    });
    const write = (text: string) => writeFileSync(file, text, { mode: 0o600 });

    test('is a version each time it changes, once for all processes, and is seen at the next read', async () => {
      write('longCallMinutes: 60\nadvanced: {TwilioEnablePauseResume: True}\n');
      const source = make({ file });
      expect(await source.current()).toMatchObject({
        version: 1,
        settings: { longCallMinutes: 60, advanced: { TwilioEnablePauseResume: 'True' } },
      });
      expect(await make({ file }).current()).toMatchObject({ version: 1 });
      write('longCallMinutes: 61\n');
      expect(await source.current()).toMatchObject({ version: 2, settings: { longCallMinutes: 61 } });
      expect(await source.history(9)).toMatchObject([{ by: `file ${file}` }, { by: `file ${file}` }]);
      expect(await audited()).toMatchObject([{ reason: 'file' }, { reason: 'file' }]);
    });

    test('makes one version, however many processes read it at once', async () => {
      write('longCallMinutes: 60\n');
      const all = await Promise.all(Array.from({ length: 10 }, () => make({ file }).current()));
      expect(new Set(all.map((one) => one?.version))).toEqual(new Set([1]));
      expect(await make().history(9)).toHaveLength(1);
    });

    test('makes everything else read-only', async () => {
      write('longCallMinutes: 60\n');
      const source = make({ file });
      await expect(change(source, { longCallMinutes: 61 }, 1)).rejects.toMatchObject({
        ...{ code: 'data_source_read_only', status: 409 },
        message: expect.stringContaining(file),
      });
      expect(await source.view()).toMatchObject({ file, settings: { longCallMinutes: 60 } });
    });

    test.each([
      ['longCallMinutes: 0\n', 'longCallMinutes must be a whole number of minutes from 1 to 1440', 1],
      ['tenant: North\nlongCallMinutes: [\n', 'not valid YAML', 3],
      ['tenant: North\ntenant: South\n', 'a field appears twice', 2],
      ['tenant: North\nlongCall: 5\n', 'longCall is not a setting', 2],
      ['advanced:\n  websocket_target_url: wss://a\n', 'is in the wrong case', 2],
      ['specifyCredentials: true\naccessKeyId: AKIA\nsecretAccessKey: hush\n', 'is a secret', 3],
    ])(
      '%j leaves the last good settings, also after a start, and an alarm names the line',
      async (text, words, line) => {
        write('longCallMinutes: 60\n');
        const source = make({ file });
        await source.current();
        write(text);
        for (const one of [source, make({ file })])
          expect(await one.current()).toMatchObject({ version: 1, settings: { longCallMinutes: 60 } });
        const alarms = createAlarms(database.db);
        const [alarm] = await alarms.list({ open: true });
        expect(alarm).toMatchObject({ code: 'data_source_invalid', detail: expect.stringContaining(words) });
        expect(alarm?.detail).toContain(`(line ${line},`);
        expect(alarm?.detail).not.toContain('hush');
        // Not each look counts.
        const times = alarm?.times;
        now += 5_000;
        await source.current();
        expect((await alarms.list({ open: true }))[0]?.times).toBe(times);
        write('longCallMinutes: 60\n# again\n');
        expect(await source.current()).toMatchObject({ version: 1 });
        expect(await openAlarms()).toEqual([]);
      },
    );

    test('that is missing, or that others may write, is broken too', async () => {
      const source = make({ file });
      expect(await source.current()).toBeUndefined();
      expect(await openAlarms()).toEqual(['data_source_invalid']);
      write('longCallMinutes: 60\n');
      expect(await source.current()).toMatchObject({ version: 1 });
      chmodSync(file, 0o666);
      expect(await source.current()).toMatchObject({ version: 1 });
      expect(await openAlarms()).toEqual(['data_source_invalid']);
    });

    test('is whole once its secret is in the store', async () => {
      write('specifyCredentials: true\naccessKeyId: AKIA\n');
      const source = make({ file });
      expect(await source.current()).toBeUndefined();
      kept.values.set('data-source/secretAccessKey', 'hush');
      now += 5_000;
      expect(await source.current()).toMatchObject({ version: 1 });
    });
  });

  describe('the default employee', () => {
    const ada = (more = '') =>
      `  - {id: ada, organization: Sales, worker: ${worker}, start: 2026-01-01${more}}\n`;
    const settings = { defaultOrganization: 'Sales', defaultEmployee: 'ada' };

    test('is judged when it is saved', async () => {
      employees(ada(', end: 2026-12-31'));
      expect((await change(make(), settings, 0)).faults).toEqual([
        expect.stringContaining('defaultEmployee has an end date (2026-12-31)'),
      ]);
      employees(
        `${ada(', end: 2026-12-10')}${ada().replace('Sales', 'Care').replace('2026-01-01', '2026-12-11')}`,
      );
      expect(await change(make(), settings, 0)).toMatchObject({
        isSaved: true,
        warnings: [expect.stringContaining('moves to another organization on 2026-12-11')],
      });
    });

    test('with a broken file of employees cannot be saved', async () => {
      employees('  - {id: 7}\n');
      expect((await change(make(), settings, 0)).faults.join()).toContain('cannot be checked');
    });

    test.each([
      ['deleted', ada().replace('ada', 'bob'), 'was deleted from the employees since it was saved'],
      ['terminated', ada(', end: 2026-11-29'), 'was terminated'],
      [
        'moved',
        `${ada().replace('Sales', 'Care')}${ada().replace('ada', 'bob').replace(worker, worker.replace('0c', '0d'))}`,
        'has moved to another organization since it was saved',
      ],
      ['given an end', ada(', end: 2027-01-01'), 'has an end date'],
    ])('%s since: an alarm, and none is used, until it is valid again', async (_, later, words) => {
      employees(ada());
      const source = make();
      await change(source, settings, 0);
      expect((await source.people()).defaultEmployee).toEqual({ id: 'ada', organization: 'Sales' });
      employees(later);
      expect((await source.people()).defaultEmployee).toBeUndefined();
      const [alarm] = await createAlarms(database.db).list({ open: true });
      expect(alarm).toMatchObject({
        code: 'default_employee_invalid',
        detail: expect.stringContaining(words),
      });
      expect((await change(source, { ...settings, tenant: 'x' }, 1)).faults).toEqual([
        expect.stringContaining(words),
      ]);
      employees(ada());
      expect((await source.people()).defaultEmployee).toBeDefined();
      expect(await openAlarms()).toEqual([]);
    });

    test('ends with the day, in the time zone of the data source', async () => {
      employees(
        `${ada(', end: 2026-12-10')}${ada().replace('Sales', 'Care').replace('2026-01-01', '2026-12-11')}`,
      );
      const source = make();
      await change(source, { ...settings, timeZone: 'America/New_York' }, 0);
      now = Date.parse('2026-12-11T04:59:59Z');
      const person = await source.people();
      expect(person.defaultEmployee).toBeDefined();
      expect(person.employeeOf(worker, new Date(now))).toEqual({ id: 'ada', organization: 'Sales' });
      expect(person.employeeOf(worker, new Date(now + 1_000))).toEqual({ id: 'ada', organization: 'Care' });
      now += 1_000;
      expect((await source.people()).defaultEmployee).toBeUndefined();
    });

    test('with a broken file the last good employees still count', async () => {
      employees(ada());
      const source = make();
      await change(source, settings, 0);
      await source.people();
      employees('  - {id: 7}\n');
      const people = await source.people();
      expect(people.employeeOf(worker, new Date(now))).toEqual({ id: 'ada', organization: 'Sales' });
      expect(people.defaultEmployee).toBeDefined();
      expect(await openAlarms()).toEqual(['employees_invalid']);
    });

    test('of TaskRouter stays valid while TaskRouter does not answer', async () => {
      const source = make();
      await change(source, { defaultOrganization: workspaceSid, defaultEmployee: worker }, 0);
      now += 299_000;
      await source.people();
      isAway = true;
      now += 2_000;
      expect((await source.people()).defaultEmployee).toEqual({ id: worker, organization: workspaceSid });
    });
  });

  test('a consumer reads from time to time, and ends with its signal', async () => {
    const source = make();
    await change(source, { longCallMinutes: 60 }, 0);
    const lines: object[] = [];
    const log = { info: (fields: object) => void lines.push(fields) };
    const ending = new AbortController();
    const running = watchDataSource({ dataSource: source, log, everyMs: 1 }).run(ending.signal);
    await until(() => lines.length === 1);
    await change(source, { longCallMinutes: 61 }, 1);
    await until(() => lines.length === 2);
    ending.abort();
    await running;
    expect(lines).toMatchObject([{ version: 1 }, { version: 2 }]);
  });
});
