import { type AddressInfo, connect, createServer } from 'node:net';
import { describeWhere } from '../../../test/support/needs.ts';
import { until } from '../../../test/support/until.ts';
import type { Db } from './db.ts';
import { migrate } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import { openPostgres } from './postgres.ts';
import { onEachEngine, type TestDatabase } from './testing/on-each-engine.ts';

onEachEngine('database', (open) => {
  let test_: TestDatabase;
  beforeAll(async () => {
    test_ = await open();
    await test_.db.query(
      'CREATE TABLE things (id int PRIMARY KEY, data jsonb, at timestamptz, big bigint, tags text[])',
    );
  });
  afterAll(() => test_.drop());
  beforeEach(async () => {
    await test_.db.query('TRUNCATE things');
  });

  test('values come back as they went in', async () => {
    const at = new Date('2026-01-02T03:04:05.678Z');
    const values = [1, JSON.stringify({ a: [1, 'zwei'] }), at, 5_000_000_000, ['x', 'y,"z"']];
    const [row] = await test_.db.query(
      'INSERT INTO things VALUES ($1, $2::jsonb, $3, $4, $5) RETURNING *',
      values,
    );
    expect(row).toEqual({ id: 1, data: { a: [1, 'zwei'] }, at, big: 5_000_000_000, tags: ['x', 'y,"z"'] });
  });

  test('several statements without values answer with the last one', async () => {
    expect(
      await test_.db.query('INSERT INTO things (id) VALUES (1); SELECT count(*)::int AS n FROM things'),
    ).toEqual([{ n: 1 }]);
  });

  test('a transaction that throws leaves nothing, and its error comes through', async () => {
    const failure = new Error('stop');
    const attempt = test_.db.transaction(async (inner) => {
      await inner.query('INSERT INTO things (id) VALUES (1)');
      throw failure;
    });
    await expect(attempt).rejects.toBe(failure);
    expect(await test_.db.query('SELECT * FROM things')).toEqual([]);
  });

  test('a transaction inside a transaction is part of it', async () => {
    const attempt = test_.db.transaction(async (outer) => {
      await outer.transaction((inner) => inner.query('INSERT INTO things (id) VALUES (1)'));
      throw new Error('stop');
    });
    await expect(attempt).rejects.toThrow('stop');
    expect(await test_.db.query('SELECT * FROM things')).toEqual([]);
  });

  test('nobody sees a transaction half done', async () => {
    const seen: number[] = [];
    const look = async () => {
      const [row] = await test_.db.query<{ n: number }>('SELECT count(*)::int AS n FROM things');
      seen.push(row?.n ?? -1);
    };
    await Promise.all([
      test_.db.transaction(async (inner) => {
        await inner.query('INSERT INTO things (id) VALUES (1)');
        await new Promise((resolve) => setTimeout(resolve, 20));
        await inner.query('INSERT INTO things (id) VALUES (2)');
      }),
      look(),
      look(),
    ]);
    expect(seen.filter((n) => n === 1)).toEqual([]);
  });

  test('several statements that fail in their own transaction leave the session usable', async () => {
    await expect(
      test_.db.query('BEGIN; INSERT INTO things (id) VALUES (1); SELECT 1/0; COMMIT'),
    ).rejects.toThrow('division by zero');
    await Promise.all(Array.from({ length: 12 }, () => test_.db.query('SELECT 1')));
    expect(await test_.db.query('SELECT * FROM things')).toEqual([]);
  });

  test('what SQL refuses keeps its SQLSTATE', async () => {
    await test_.db.query('INSERT INTO things (id) VALUES ($1)', [1]);
    await expect(test_.db.query('INSERT INTO things (id) VALUES ($1)', [1])).rejects.toMatchObject({
      code: '23505',
    });
  });

  test('timers and sockets have their turn during a run of queries', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    for (let i = 0; i < 100; i++) await test_.db.query('SELECT pg_sleep(0)', []);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });

  test('a table that has changed between two queries of one text is no trouble', async () => {
    await test_.db.query('CREATE TABLE grown (id int); INSERT INTO grown VALUES (1)');
    const look = () => test_.db.query('SELECT * FROM grown WHERE id = $1', [1]);
    expect(await look()).toEqual([{ id: 1 }]);
    await test_.db.query('ALTER TABLE grown ADD COLUMN more text');
    expect(await look()).toEqual([{ id: 1, more: null }]);
  });

  test('migrations run once, in order, and a newer database is refused', async () => {
    const list = ['CREATE TABLE steps (n int); INSERT INTO steps VALUES (1)', 'INSERT INTO steps VALUES (2)'];
    await migrate(test_.db, list.slice(0, 1));
    await Promise.all([migrate(test_.db, list), migrate(test_.db, list)]);
    expect(await test_.db.query('SELECT n FROM steps ORDER BY n')).toEqual([{ n: 1 }, { n: 2 }]);
    await expect(migrate(test_.db, list.slice(0, 1))).rejects.toMatchObject({ code: 'database_newer' });
    await test_.db.query('DROP TABLE steps; DROP TABLE schema_version');
  });

  test('a migration that fails changes nothing, and those before it stay', async () => {
    const steps = ['CREATE TABLE steps (n int)', 'INSERT INTO steps VALUES (1); SELECT 1/0'];
    await expect(migrate(test_.db, steps)).rejects.toThrow('division by zero');
    expect(await test_.db.query('SELECT version FROM schema_version')).toEqual([{ version: 1 }]);
    expect(await test_.db.query('SELECT n FROM steps')).toEqual([]);
    expect(await migrate(test_.db, [steps[0] as string, 'INSERT INTO steps VALUES (2)'])).toBe(2);
    expect(await test_.db.query('SELECT n FROM steps')).toEqual([{ n: 2 }]);
    await test_.db.query('DROP TABLE steps; DROP TABLE schema_version');
  });

  test('a transaction whose work never ends is rolled back in time, and others go on', async () => {
    const stuck = test_.db.transaction(async (inner) => {
      await inner.query('INSERT INTO things (id) VALUES (1)');
      await new Promise(() => undefined);
    }, 100);
    await expect(stuck).rejects.toMatchObject({ code: 'database_unavailable', retryable: true });
    expect(await test_.db.query('SELECT * FROM things')).toEqual([]);
  });

  test('the real migrations run', async () => {
    expect(await migrate(test_.db)).toBe(migrations.length);
  });
});

test('a PostgreSQL that does not answer is a passing trouble', async () => {
  await expect(openPostgres('postgres://nobody@127.0.0.1:1/none')).rejects.toMatchObject({
    code: 'database_unavailable',
    retryable: true,
    status: 503,
  });
});

describeWhere('postgresql', 'the limits on PostgreSQL', () => {
  let db: Db;
  const url = process.env['TEST_DATABASE_URL'] ?? '';
  beforeAll(async () => {
    db = await openPostgres(url, { connectMs: 5_000, statementMs: 300, cancelMs: 5_000 });
  });
  afterAll(() => db.close());

  const slow = 'SELECT pg_sleep(20)';
  const late = { code: 'database_unavailable', retryable: true, status: 503 };

  test('a statement that takes too long is ended by the server, on each way to it', async () => {
    const cause = { cause: expect.objectContaining({ code: '57014' }) };
    await expect(db.query(slow)).rejects.toMatchObject({ ...late, ...cause });
    await expect(db.query('SELECT pg_sleep($1)', [20])).rejects.toMatchObject({ ...late, ...cause });
    await expect(db.routine('SELECT pg_sleep($1)', [20])).rejects.toMatchObject({ ...late, ...cause });
    await expect(db.transaction((inner) => inner.query(slow))).rejects.toMatchObject(late);
    expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('a migration has a limit of its own', async () => {
    await db.transaction((inner) => inner.query('SELECT pg_sleep(0.5)'), 60_000);
    await expect(db.query('SELECT pg_sleep(0.5)')).rejects.toMatchObject(late);
  });

  test('a server that falls silent is given up, too, and the next statement has another connection', async () => {
    const { hostname, port } = new URL(url);
    let isSilent = false;
    const relay = createServer((client) => {
      const behind = connect(Number(port), hostname);
      client.pipe(behind);
      behind.on('data', (chunk) => isSilent || client.write(chunk));
      for (const one of [client, behind]) one.on('error', () => undefined);
      client.on('close', () => behind.destroy());
    });
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    const through = new URL(url);
    through.host = `127.0.0.1:${(relay.address() as AddressInfo).port}`;
    const far = await openPostgres(through.href, { connectMs: 5_000, statementMs: 200, cancelMs: 100 });
    isSilent = true;
    await expect(far.query('SELECT $1::int', [1])).rejects.toMatchObject(late);
    await expect(far.transaction((inner) => inner.query('SELECT 1'))).rejects.toMatchObject(late);
    isSilent = false;
    expect(await far.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await far.close();
    relay.close();
  });

  test('a connection that breaks between two statements of a transaction fails the next one, and ends no process', async () => {
    const far = await openPostgres(url, { connectMs: 5_000, statementMs: 60_000, cancelMs: 5_000 });
    const broken = far.transaction(async (inner) => {
      const [own] = await inner.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await db.query('SELECT pg_terminate_backend($1)', [own?.pid]);
      const isThere = () => db.query('SELECT pid FROM pg_stat_activity WHERE pid = $1', [own?.pid]);
      await until(async () => (await isThere()).length === 0);
      await inner.query('SELECT 1');
    });
    await expect(broken).rejects.toMatchObject(late);
    expect(await far.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await far.close();
  });

  test('where all connections are taken, the wait for one has a limit', async () => {
    const few = await openPostgres(url, { connectMs: 2_000, statementMs: 60_000, cancelMs: 5_000 });
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const all = Array.from({ length: 10 }, () => few.transaction(() => ended));
    await expect(few.query('SELECT 1')).rejects.toMatchObject(late);
    end();
    await Promise.all(all);
    await few.close();
  });
});

test('a PostgreSQL that takes connections and says nothing is one, too', async () => {
  const mute = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const { port } = mute.address() as AddressInfo;
  const opening = openPostgres(`postgres://nobody@127.0.0.1:${port}/none`, {
    connectMs: 100,
    statementMs: 100,
    cancelMs: 100,
  });
  await expect(opening).rejects.toMatchObject({ code: 'database_unavailable', retryable: true });
  mute.close();
});
