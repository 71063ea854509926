import type { TaskSid } from '@flex-custody/core';
import type { Db } from '../../db/db.ts';
import { buildIndexes } from '../../db/indexes.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { verifyCertificate } from '../../retention/certificate.ts';
import { Story, type StoryTask } from '../sessions/testing/story.ts';
import { deleteNow } from './run-jobs.ts';
import { account, call, minute, RE, type ShortScene, shortScene } from './testing/short-scene.ts';

jest.setTimeout(120_000);

onEachEngine('the audio of short calls', (open) => {
  let database: TestDatabase;
  let db: Db;
  let scene: ShortScene;

  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
    await buildIndexes(db);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await db.query(
      `TRUNCATE recordings, certificates, runs, alarms, policies, retained, marks, agent_events, erased_sids, contacts, contact_keys,
         contact_events, contact_reports, data_source_versions CASCADE;
       UPDATE session_place SET position = NULL`,
    );
    scene = await shortScene(db);
    await scene.setMinimum(10);
    await scene.repairedUntil(Date.now());
  });

  /** A call with one recording that lasts as long. */
  async function happened(
    seed: number,
    seconds: number,
    n = seed,
  ): Promise<{ story: Story; task: StoryTask }> {
    const { story, task } = call(seed, seconds);
    scene.list(story);
    await scene.receive(story.sent);
    await scene.record(n, task, Math.min(seconds, 9));
    return { story, task };
  }
  const state = async (n: number) => (await scene.catalog.find(RE(n)))?.state;
  const kept = async () =>
    (await db.query<{ kept: string | null }>('SELECT short_kept AS kept FROM contacts ORDER BY number')).map(
      (row) => row.kept,
    );

  test('strictly shorter: every version and the original are deleted, and a certificate names the policy', async () => {
    const { task } = await happened(1, 9.5);
    const [before] = await scene.sessions();
    const { counts } = await scene.run();
    expect(counts).toEqual({ done: 1, erased: 1 });
    expect([scene.left(), scene.deletedAtTwilio]).toEqual([[], [RE(1)]]);
    const row = await scene.catalog.find(RE(1));
    expect(row).toMatchObject({ state: 'erased', erasedAt: expect.any(Date) });
    expect(row).not.toHaveProperty('taskSid');
    const [certificate] = await scene.deps.certificates.list(10);
    const [jwk = {}] = await scene.signing.publicJwks();
    const { connectedAt = 0, closedAt = 0 } = before?.contact ?? {};
    expect(await verifyCertificate(certificate?.jws ?? '', jwk)).toMatchObject({
      ...{ iss: account, jti: row?.certificate, reason: 'short-session', policy: 'none' },
      recordings: [
        {
          ...{ recording: RE(1), versions: 3, twilio: 'deleted' },
          session: {
            ...{ id: task.sid, seconds: 9.5, minimumSeconds: 10, settings: 1 },
            connectedAt: new Date(connectedAt).toISOString(),
            closedAt: new Date(closedAt).toISOString(),
          },
        },
      ],
    });
    // The session and its events stay, with the certificate.
    expect(await scene.sessions()).toEqual([{ ...before, shortCertificates: [row?.certificate] }]);
    expect(await db.query('SELECT digest FROM erased_sids')).toEqual([]);
    // A late callback does not bring it back, and later runs find nothing more.
    await scene.catalog.register({
      ...{ recordingSid: RE(1), accountSid: account, channels: 2, hints: {}, source: 'callback' },
      startedAt: new Date(),
    });
    await scene.lookAgain();
    expect((await scene.run()).counts).toEqual({});
    expect([await state(1), (await scene.deps.certificates.list(10)).length]).toEqual(['erased', 1]);
  });

  test('a call of exactly the minimum, an unanswered one and another agent’s long one are kept', async () => {
    await happened(1, 10);
    await happened(2, 600);
    const story = new Story(3, new Date(Date.now() - 60 * minute).toISOString());
    const task = story.inboundCall();
    story.wait(2);
    task.hangUp().cancel('hangup');
    scene.list(story);
    await scene.receive(story.sent);
    await scene.record(3, task, 2);
    expect((await scene.run()).counts).toEqual({});
    expect(await Promise.all([1, 2, 3].map(state))).toEqual(['verified', 'verified', 'verified']);
  });

  test('two recordings are certified together; a held one stays, and is deleted once the hold is gone', async () => {
    const { task } = await happened(1, 9);
    await scene.record(2, task, 4, { late: 3 });
    const policy = (text: string) => scene.policies.apply(`version: 1\n${text}\n`, 'test');
    await policy(`holds: [{id: case-1, recordings: [${RE(2)}], reason: r}]`);
    expect((await scene.run()).counts).toEqual({ done: 2, erased: 1, held: 1 });
    expect([await state(1), await state(2), await kept()]).toEqual(['erased', 'verified', ['held']]);
    await policy('');
    await scene.lookAgain();
    expect((await scene.run()).counts).toEqual({ done: 1, erased: 1 });
    const [session] = await scene.sessions();
    expect(session?.shortCertificates).toEqual(
      (await scene.deps.certificates.list(10)).map(({ id }) => id).reverse(),
    );
    expect([await kept(), scene.deletedAtTwilio]).toEqual([[null], [RE(1), RE(2)]]);
  });

  test('two recordings of one call: one certificate', async () => {
    const { task } = await happened(1, 9);
    await scene.record(2, task, 4, { late: 3 });
    expect((await scene.run()).counts).toEqual({ done: 2, erased: 2 });
    expect(await scene.deps.certificates.list(10)).toMatchObject([
      { recordings: 2, reason: 'short-session' },
    ]);
  });

  test('a hold that is applied after the first check wins', async () => {
    await happened(1, 9);
    const { catalog } = scene.deps;
    scene.deps.catalog = {
      ...catalog,
      async intend(...given) {
        await scene.policies.apply(
          `version: 1\nholds: [{id: x, recordings: [${RE(1)}], reason: r}]\n`,
          'test',
        );
        return catalog.intend(...given);
      },
    };
    expect((await scene.run()).counts).toEqual({ done: 1, held: 1 });
    expect(await scene.catalog.find(RE(1))).not.toHaveProperty('intent');
    expect([await state(1), scene.left().length]).toEqual(['verified', 3]);
  });

  describe('nothing is deleted before gap repair has confirmed the call', () => {
    test.each([
      ['no repair yet', async () => void (await db.query('TRUNCATE marks'))],
      [
        'a repair until a moment after its close',
        async () => {
          await db.query('TRUNCATE marks');
          await scene.repairedUntil(Date.now() - 50 * minute);
        },
      ],
      [
        'an event of the call that the sessions have not read, behind one of now',
        async () => {
          const later = new Story(70);
          later.now = Date.now();
          later.inboundCall();
          await scene.receive(later.sent, { read: false });
          const { story, task } = call(1, 9);
          story.sent.length = 0;
          task.event('task.updated');
          return scene.receive(story.sent, { read: false });
        },
      ],
      [
        'an event of another call of that time that the sessions have not read',
        () => scene.receive(call(50, 9).story.sent, { read: false }),
      ],
    ])('%s', async (_what, then) => {
      await happened(1, 9);
      await then();
      expect((await scene.run()).counts).toEqual({ unconfirmed: 1 });
      expect([await state(1), await kept()]).toEqual(['verified', ['unconfirmed']]);
    });

    test('a call that began before the first repair', async () => {
      await happened(1, 9);
      await db.query('TRUNCATE marks');
      await db.query(
        `INSERT INTO marks (account_sid, name, mark) VALUES ($1, 'taskrouter-events-complete', $2)`,
        [
          account,
          JSON.stringify({
            from: new Date(Date.now() - 30 * minute).toISOString(),
            until: new Date().toISOString(),
          }),
        ],
      );
      expect((await scene.run({ dryRun: true })).notes).toMatchObject({
        [(await scene.sessions())[0]?.contact.id ?? '']: expect.stringContaining('recorder repair --since'),
      });
    });
  });

  /** Does something when the deletion has checked once, and is to check again. */
  function between(then: () => Promise<unknown>): void {
    const { catalog } = scene.deps;
    let isDone = false;
    scene.deps.catalog = {
      ...catalog,
      async intend(...given) {
        const intended = await catalog.intend(...given);
        if (!isDone) await then();
        isDone = true;
        return intended;
      },
    };
  }

  test('an event that arrives while the call is being deleted makes it long, and wins', async () => {
    const { story, task } = await happened(1, 9);
    between(async () => {
      // Another agent takes the call from the queue.
      story.sent.length = 0;
      const next = task.offer('bert');
      next.accept();
      story.wait(300);
      next.wrapUp();
      await scene.receive(story.sent);
    });
    expect((await scene.run()).counts).toEqual({ done: 1, changed: 1 });
    expect([await state(1), scene.left().length]).toEqual(['verified', 3]);
    expect((await scene.sessions())[0]).not.toHaveProperty('shortSeconds');
  });

  test('an event that has arrived and is not read yet wins too', async () => {
    const { story, task } = await happened(1, 9);
    between(async () => {
      story.sent.length = 0;
      task.offer('bert').accept();
      await scene.receive(story.sent, { read: false });
    });
    expect((await scene.run()).counts).toEqual({ done: 1, unconfirmed: 1 });
    expect(await state(1)).toBe('verified');
  });

  test.each([
    ['before the run', async (then: () => Promise<void>) => then(), {}],
    ['during the run', async (then: () => Promise<void>) => between(then), { done: 1, changed: 1 }],
  ])('a minimum that was set to 0 %s wins', async (_when, during, counts) => {
    await happened(1, 9);
    await during(() => scene.setMinimum(0));
    expect((await scene.run()).counts).toEqual(counts);
    expect([await state(1), scene.left().length]).toEqual(['verified', 3]);
  });

  test('settings that another process has changed, and this one has not read, delete nothing', async () => {
    await happened(1, 9);
    const before = await scene.deps.dataSource.current();
    await scene.setMinimum(9);
    scene.deps.dataSource = { current: async () => before };
    expect((await scene.run()).counts).toEqual({});
    expect(await state(1)).toBe('verified');
  });

  test('a lower minimum keeps what was marked short by the higher one', async () => {
    await happened(1, 9);
    await scene.setMinimum(9);
    expect((await scene.run()).counts).toEqual({});
    expect(await state(1)).toBe('verified');
  });

  describe('evidence against the events wins, and raises an alarm', () => {
    test.each([
      ['a recording that lasts longer than the minimum', (task: StoryTask) => scene.record(2, task, 10.6)],
      [
        'recordings that cover more than the minimum',
        (task: StoryTask) => scene.record(2, task, 4, { late: 9 }),
      ],
    ])('%s', async (_what, more) => {
      const { task } = await happened(1, 9);
      await more(task);
      expect((await scene.run()).counts).toEqual({ disputed: 1 });
      expect([await state(1), await kept(), await scene.open()]).toEqual([
        'verified',
        ['disputed'],
        ['short_disputed'],
      ]);
      // The alarm is not raised again for the same call.
      const [alarm] = await scene.alarms.list({ open: true });
      await scene.alarms.clear(alarm?.id ?? 0);
      await scene.lookAgain();
      await scene.run();
      expect(await scene.open()).toEqual([]);
    });

    test('an end of the call that TaskRouter does not list: the forged event of a thief of the auth token', async () => {
      const { story, task } = call(1, 3_000);
      scene.list(story);
      // A short recording, as a pause leaves one, so that only TaskRouter can tell.
      await scene.record(1, task, 5);
      const connected = story.sent.find(({ type }) => type.endsWith('reservation.accepted'));
      const { payload } = (connected?.data ?? {}) as { payload: Record<string, unknown> };
      const at = new Date(Date.parse(connected?.time ?? '') + 5_000).toISOString();
      const forged = ['reservation.completed', 'task.completed'].map((name, n) => ({
        ...{ specversion: '1.0' as const, source: '/', dataschema: '', datacontenttype: '', time: at },
        ...{ id: `EZ-forged-${n}`, type: `com.twilio.taskrouter.${name}` },
        data: {
          ...{ sid: `EV${n}${'f'.repeat(31)}`, name, account_sid: account, timestamp: at },
          payload: { ...payload, eventtype: name, timestamp: at, task_assignment_status: 'completed' },
        },
      }));
      await scene.receive([...story.sent, ...forged]);
      expect((await scene.sessions())[0]?.shortSeconds).toBe(5);
      expect((await scene.run()).counts).toEqual({ disputed: 1 });
      expect([await state(1), scene.left().length, await scene.open()]).toEqual([
        'verified',
        3,
        ['short_disputed'],
      ]);
    });

    test('a call of which TaskRouter knows nothing', async () => {
      await happened(1, 9);
      scene.history.length = 0;
      expect((await scene.run()).counts).toEqual({ disputed: 1 });
      expect(await state(1)).toBe('verified');
    });

    test('Twilio does not answer: nothing is known', async () => {
      await happened(1, 9);
      scene.deps.twilio = {
        ...scene.deps.twilio,
        taskEventsPage: async () => {
          throw new Error('away');
        },
      };
      await expect(scene.run()).rejects.toThrow('away');
      expect(await state(1)).toBe('verified');
    });
  });

  test('a recording that another call has too is kept, and so is one that is not proven to be of its task', async () => {
    const { task } = await happened(1, 9);
    const other = await happened(2, 600);
    // A consultation: the recording is of this task, and of a leg of the other call.
    await scene.record(3, task, 5, { leg: other.task.call });
    expect((await scene.run()).counts).toEqual({ shared: 1 });
    await db.query('DELETE FROM recordings WHERE recording_sid = $1', [RE(3)]);
    await scene.record(4, task, 5, { link: false });
    await scene.lookAgain();
    expect((await scene.run()).counts).toEqual({ unproven: 1 });
    await scene.catalog.linked(RE(4), { taskSid: task.sid as TaskSid });
    await scene.lookAgain();
    expect((await scene.run()).counts).toEqual({ done: 2, erased: 2 });
    expect(await state(2)).toBe('verified');
  });

  test('a short call with a transfer is one call', async () => {
    const story = new Story(1, new Date(Date.now() - 60 * minute).toISOString());
    const task = story.inboundCall();
    const anna = task.offer('anna');
    anna.accept();
    story.wait(2);
    anna.transfer('COLD', 'Billing');
    anna.wrapUp('reserved').complete();
    const bert = task.offer('bert');
    story.wait(1);
    bert.accept();
    story.wait(4);
    task.hangUp();
    bert.wrapUp().complete();
    task.complete();
    scene.list(story);
    await scene.receive(story.sent);
    await scene.record(1, task, 6);
    expect((await scene.run()).counts).toEqual({ done: 1, erased: 1 });
    expect((await scene.sessions())[0]?.contact.interactions).toHaveLength(2);
  });

  test('incomplete contacts are kept: an acceptance was lost', async () => {
    const { story, task } = call(1, 9);
    scene.list(story);
    await scene.receive(story.sent.filter(({ type }) => !type.endsWith('reservation.accepted')));
    await scene.record(1, task, 9);
    await db.query('UPDATE contacts SET short_seconds = 9');
    expect((await scene.run()).counts).toEqual({});
    expect(await state(1)).toBe('verified');
  });

  const kills: [string, () => () => void][] = [
    [
      'before the certificate is signed',
      () => {
        const { certificates } = scene.deps;
        const keep = () => Promise.reject(new Error('killed'));
        scene.deps.certificates = { ...certificates, keep };
        return () => {
          scene.deps.certificates = certificates;
        };
      },
    ],
    [
      'before the certificate is in the bucket',
      () => {
        scene.store.failing = new Error('killed');
        return () => undefined;
      },
    ],
    [
      'before the session is marked',
      () => {
        const { catalog } = scene.deps;
        scene.deps.catalog = { ...catalog, erased: () => Promise.reject(new Error('killed')) };
        return () => {
          scene.deps.catalog = catalog;
        };
      },
    ],
  ];
  test.each(kills)(
    'a process that is killed after the deletion, %s: the next run certifies and marks once',
    async (_when, kill) => {
      await happened(1, 9);
      const restart = kill();
      await expect(scene.run()).rejects.toThrow('killed');
      restart();
      expect(await state(1)).toBe('erased');
      expect((await scene.sessions())[0]).not.toHaveProperty('shortCertificates');
      // Later the call would be no short one: what was begun is finished all the same.
      await scene.setMinimum(5);
      expect((await scene.run()).counts).toEqual({ erased: 1 });
      const [certificate, ...others] = await scene.deps.certificates.list(10);
      expect([certificate?.reason, others]).toEqual(['short-session', []]);
      expect((await scene.sessions())[0]?.shortCertificates).toEqual([certificate?.id]);
      expect((await scene.run()).counts).toEqual({});
      expect(scene.deletedAtTwilio).toEqual([RE(1)]);
    },
  );

  test('sessions that turn out to be one keep the certificates of both', async () => {
    const one = await happened(1, 9);
    await scene.run();
    await happened(2, 9);
    await scene.run();
    const ids = (await scene.deps.certificates.list(10)).map(({ id }) => id);
    expect(ids).toHaveLength(2);
    const other = (await scene.sessions())[1]?.contact.keys.find((key) => key.startsWith('CA'));
    one.story.sent.length = 0;
    one.story.voice('status-callback.call.answered', { CallSid: other, ParentCallSid: one.task.call });
    await scene.receive(one.story.sent);
    const [session, ...rest] = await scene.sessions();
    expect([new Set(session?.shortCertificates), rest]).toEqual([new Set(ids), []]);
  });

  test('a recording that is registered after the deletion follows', async () => {
    const { task } = await happened(1, 9);
    await scene.run();
    await scene.record(2, task, 5);
    expect((await scene.run()).counts).toEqual({});
    await scene.lookAgain();
    expect((await scene.run()).counts).toEqual({ done: 1, erased: 1 });
    expect((await scene.sessions())[0]?.shortCertificates).toHaveLength(2);
  });

  test('a dry run names what would be deleted, and why other calls keep their audio; nothing changes', async () => {
    const { task } = await happened(1, 9);
    const { task: held } = await happened(2, 9);
    await scene.record(3, held, 30);
    await scene.run({ dryRun: true });
    const { counts, notes } = await scene.run({ dryRun: true });
    expect(counts).toEqual({ done: 1, to_be_erased: 1, disputed: 1 });
    expect(notes).toEqual({
      [RE(1)]: `would be erased: ${task.sid} lasted 9 s`,
      [held.sid]: 'a recording of it lasts 30.0 s, and the call’s events say less than 10 s'.replace(
        '’',
        "'",
      ),
    });
    expect([await state(1), await kept(), await scene.open()]).toEqual(['verified', [null, null], []]);
  });

  describe('the brake', () => {
    beforeEach(async () => {
      // A catalog of more than 200 recordings, of which 5 % are 10.
      await db.query(
        `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source, state)
         SELECT 'RE' || md5(n::text), $1, 1, now(), 'callback', 'registered' FROM generate_series(1, 201) n`,
        [account],
      );
    });
    const certified = (count: number, age: string) =>
      db.query(
        `INSERT INTO certificates (id, at, reason, recordings, jws) VALUES (gen_random_uuid(), now() - $2::interval, 'short-session', $1, '')`,
        [count, age],
      );

    test('counts those of the last day, and `yes` allows what is due then', async () => {
      await happened(1, 9);
      await certified(10, '2 hours');
      await deleteNow(scene.deps, new AbortController().signal);
      expect([await state(1), await scene.open()]).toEqual(['verified', ['short_braked']]);
      expect((await scene.run({ yes: true })).counts).toMatchObject({ erased: 1 });
      await happened(2, 9);
      await deleteNow(scene.deps, new AbortController().signal);
      expect([await state(2), await scene.open()]).toEqual(['erased', []]);
    });

    test('those of an earlier day do not count', async () => {
      await happened(1, 9);
      await certified(10, '25 hours');
      await deleteNow(scene.deps, new AbortController().signal);
      expect(await state(1)).toBe('erased');
    });
  });

  test('the job does nothing without a minimum length', async () => {
    await happened(1, 9);
    await scene.setMinimum(0);
    scene.deps.runs = { run: () => Promise.reject(new Error('no run is begun')) };
    await deleteNow(scene.deps, new AbortController().signal);
    expect(await state(1)).toBe('verified');
  });
});
