import { notRecordedReasons, type Report } from '@flex-custody/core';
import type { Db } from '../../db/db.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { look } from '../pauses/look.ts';
import { createPauses } from '../pauses/pauses.ts';
import { down, sids } from '../testing/live-call.ts';
import { ada as agent, minute, other, pauseReport, room, start } from '../testing/room.ts';
import { type Reporter, receive } from './receive.ts';

const ada: Reporter = { by: 'browser', viewer: agent };
/** A worker who has nothing to do with the call. */
const eve: Reporter = {
  by: 'browser',
  viewer: { identity: 'eve', workerSid: `WK${'9'.repeat(32)}` as never, roles: ['agent'] },
};
/** The agent's own token, by way of a Function. */
const ours: Reporter = { by: 'function', viewer: agent };
const evesByFunction: Reporter = { ...eve, by: 'function' };
const noWorker: Reporter = { by: 'browser', viewer: { identity: 'user', roles: ['flex.user'] } };

onEachEngine('reports of live calls', (open) => {
  let database: TestDatabase;
  let db: Db;
  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
  });
  afterAll(() => database.drop());
  beforeEach(() =>
    db.query('DELETE FROM pauses; DELETE FROM reports; DELETE FROM alarms; DELETE FROM audit'),
  );

  const kept = () => db.query<Record<string, unknown>>('SELECT * FROM reports ORDER BY received_at, at');
  const pause = () => createPauses(db).find(sids.conference);

  test("a Function's pause is kept, opened and looked after", async () => {
    const { deps, sent, reported } = room(db);
    const report = pauseReport('paused', start, {
      reservationSid: sids.reservation,
      recordings: [sids.recording(1)],
    });
    await receive(deps, report, ours, 'r1', start + 500);
    expect(await kept()).toMatchObject([
      {
        id: report.id,
        kind: 'paused',
        at: new Date(start),
        task_sid: sids.task,
        reservation_sid: sids.reservation,
        worker_sid: sids.worker,
        conference_sid: sids.conference,
        // Which recordings these are Twilio says.
        details: { behavior: (await deps.settings()).behavior },
        by: 'function',
      },
    ]);
    expect(await pause()).toMatchObject({ dueAt: new Date(start + 10 * minute), recordings: [] });
    expect(sent).toEqual([{ conferenceSid: sids.conference, once: `reported:${sids.conference}` }]);
    expect(reported).toEqual([['paused', '', 'function']]);
  });

  test('told twice it counts once', async () => {
    const { deps, sent, reported } = room(db);
    const report = pauseReport('paused', start);
    await receive(deps, report, ours, 'r1', start);
    await receive(deps, report, ada, 'r2', start + minute);
    expect(await kept()).toHaveLength(1);
    expect(reported).toHaveLength(1);
    expect(await pause()).toMatchObject({ dueAt: new Date(start + 10 * minute) });
    // The job may have been lost with the first answer.
    expect(sent).toHaveLength(2);
  });

  test('a second pause renews, an older report that comes late changes nothing', async () => {
    const { deps } = room(db);
    await receive(deps, pauseReport('paused', start), ours, 'r', start);
    const second = pauseReport('paused', start + minute);
    await receive(deps, second, ours, 'r', start + minute);
    await receive(deps, pauseReport('resumed', start + minute - 1), ours, 'r', start + minute);
    expect(await pause()).toMatchObject({
      dueAt: new Date(start + 11 * minute),
      dueBy: 'timer',
      endedAt: undefined,
    });
  });

  test('a resumed report has the next look close it, whoever it is from, and what it claims be so', async () => {
    const { deps, twilio } = room(db);
    twilio.pause(start);
    await receive(deps, pauseReport('paused', start), ours, 'r', start);
    await receive(deps, pauseReport('resumed', start + 5_000), ada, 'r', start + 5_000);
    expect(await look(deps, sids.conference)).toBe('over');
    expect(twilio.states()).toEqual(['in-progress']);
    expect(await pause()).toMatchObject({ endedBy: 'browser' });
  });

  test('the end heard before the beginning: the beginning opens nothing', async () => {
    const { deps } = room(db);
    await receive(deps, pauseReport('resumed', start + 5_000), ours, 'r', start + 5_000);
    await receive(deps, pauseReport('paused', start), ours, 'r', start + 6_000);
    expect(await pause()).toMatchObject({ endedBy: 'function' });
  });

  test("a browser's pause is measured by our clock, and dated no later than now", async () => {
    const { deps } = room(db);
    await receive(deps, pauseReport('paused', start - 300 * minute), ada, 'r', start);
    expect(await pause()).toMatchObject({ dueAt: new Date(start + 10 * minute) });
    await receive(deps, pauseReport('paused', start + 300 * minute), ada, 'r', start + minute);
    expect(await pause()).toMatchObject({
      lastAt: new Date(start + minute),
      dueAt: new Date(start + 11 * minute),
    });
  });

  test.each([
    ['has no leg in it', eve, {}],
    ['has no leg in it, whatever Function passes the token on', evesByFunction, {}],
    ['has a leg but names the task of another', ada, { taskSid: sids.otherTask }],
  ])(
    'a report of somebody who %s is refused, and nothing is kept or changed',
    async (_what, reporter, change) => {
      const { deps, sent, twilio } = room(db);
      for (const kind of ['paused', 'resumed'] as const)
        await expect(
          receive(deps, pauseReport(kind, start, change), reporter, 'r', start),
        ).rejects.toMatchObject({
          code: 'not_your_call',
          status: 403,
        });
      expect([await kept(), await pause(), sent, twilio.changes]).toEqual([[], undefined, [], []]);
    },
  );

  test('a conference that is not named after its task needs a reservation of the worker', async () => {
    const { deps, twilio } = room(db);
    twilio.friendlyName = 'room 7';
    const report = pauseReport('paused', start);
    const { reserved } = twilio;
    twilio.reserved = [];
    await expect(receive(deps, report, ada, 'r', start)).rejects.toMatchObject({ code: 'not_your_call' });
    twilio.reserved = reserved;
    await receive(deps, report, ada, 'r', start);
    expect(await pause()).toBeDefined();
  });

  test('of a call that is over who had the task is heard, and nothing is begun', async () => {
    const { deps, twilio, sent } = room(db);
    twilio.live = false;
    for (const reporter of [eve, noWorker])
      await expect(receive(deps, pauseReport('paused', start), reporter, 'r', start)).rejects.toMatchObject({
        code: 'task_unknown',
        status: 403,
      });
    expect(await kept()).toEqual([]);
    await receive(deps, pauseReport('paused', start), ada, 'r', start);
    expect(await kept()).toMatchObject([{ by: 'browser', worker_sid: sids.worker }]);
    expect([await pause(), sent]).toEqual([undefined, []]);
  });

  test('with Twilio away everybody is asked to come again', async () => {
    const { deps, twilio } = room(db);
    twilio.failing = down;
    for (const reporter of [ada, ours])
      await expect(receive(deps, pauseReport('paused', start), reporter, 'r', start)).rejects.toMatchObject({
        status: 503,
        retryable: true,
      });
    expect(await kept()).toEqual([]);
  });

  test('a consent leaves an audit entry, and without one it is not taken', async () => {
    const { deps, reported } = room(db);
    const report = other('consent', { purpose: 'voice-enrolment', decision: 'given', callSid: sids.call(1) });
    const failing: Db = {
      ...db,
      transaction: (work) =>
        db.transaction((inner) =>
          work({
            ...inner,
            query: (sql, values) =>
              /into audit/i.test(sql) ? Promise.reject(new Error('full')) : inner.query(sql, values),
          }),
        ),
    };
    await expect(receive({ ...deps, db: failing }, report, ada, 'r1')).rejects.toMatchObject({
      code: 'audit_unavailable',
      status: 503,
    });
    expect(await kept()).toEqual([]);
    await receive(deps, report, ada, 'r2');
    expect(await kept()).toMatchObject([{ conference_sid: sids.conference }]);
    await receive(deps, report, ada, 'r3');
    await receive(deps, other('consent', { purpose: 'voice-verification', decision: 'refused' }), ours, 'r4');
    expect(
      await db.query(
        'SELECT viewer, worker_sid, action, subject_kind, recording_sid, allowed, reason, request_id FROM audit ORDER BY id',
      ),
    ).toEqual([
      {
        viewer: 'ada',
        worker_sid: sids.worker,
        action: 'voice-consent',
        subject_kind: 'call',
        recording_sid: sids.call(1),
        allowed: true,
        reason: 'voice-enrolment:given',
        request_id: 'r2',
      },
      {
        viewer: 'ada',
        worker_sid: sids.worker,
        action: 'voice-consent',
        subject_kind: 'task',
        recording_sid: sids.task,
        allowed: false,
        reason: 'voice-verification:refused',
        request_id: 'r4',
      },
    ]);
    expect(reported).toEqual([
      ['consent', 'given', 'browser'],
      ['consent', 'refused', 'function'],
    ]);
  });

  const consent = (change: Partial<Extract<Report, { kind: 'consent' }>> = {}) =>
    other('consent', { purpose: 'voice-enrolment', decision: 'given', ...change });
  const audited = () => db.query('SELECT allowed FROM audit');

  test.each<[string, Reporter, Partial<Extract<Report, { kind: 'consent' }>>]>([
    ['somebody who is not in it', eve, {}],
    ['somebody who is no worker', noWorker, {}],
    ['a Function without the agent', evesByFunction, {}],
    ['the agent, for the leg of another call', ada, { callSid: sids.call(9) }],
    ['the agent, for the task of another', ada, { taskSid: sids.otherTask }],
    ['the agent, for a conference of others', ada, { conferenceSid: `CF${'9'.repeat(32)}` as never }],
  ])('no consent to a call is written for %s', async (_who, reporter, change) => {
    const { deps } = room(db);
    await expect(receive(deps, consent(change), reporter, 'r')).rejects.toMatchObject({ status: 403 });
    expect([await kept(), await audited()]).toEqual([[], []]);
  });

  test('after the call no consent is given any more, but one may be taken back', async () => {
    const { deps, twilio } = room(db);
    twilio.live = false;
    await expect(receive(deps, consent(), ada, 'r')).rejects.toMatchObject({ code: 'not_your_call' });
    await receive(deps, consent({ decision: 'withdrawn' }), ada, 'r');
    expect([await kept(), await audited()]).toMatchObject([[{ conference_sid: null }], [{ allowed: false }]]);
  });

  test('a consent that is taken back ends what is streamed', async () => {
    const { deps, twilio } = room(db);
    const stream = `${sids.call(1)} ${sids.call(1)}`;
    twilio.streams.add(stream);
    await receive(deps, consent(), ada, 'r');
    expect([...twilio.streams]).toEqual([stream]);
    await receive(deps, consent({ decision: 'withdrawn' }), ada, 'r');
    expect([...twilio.streams]).toEqual([]);
  });

  test('an alarm needs a task of the reporter’s own', async () => {
    const { deps, raised } = room(db);
    const made = [
      [other('not-recorded', { reason: 'start-failed' }), eve],
      [other('double-recording', {}), noWorker],
      [{ ...other('double-recording', {}), taskSid: sids.otherTask }, ada],
    ] as const;
    for (const [report, reporter] of made)
      await expect(receive(deps, report, reporter, 'r')).rejects.toMatchObject({
        code: 'task_unknown',
        status: 403,
      });
    expect([await kept(), await raised()]).toEqual([[], []]);
  });

  test('a call that is not recorded is an alarm, unless that is as the site wants it', async () => {
    for (const reason of notRecordedReasons) {
      await db.query('DELETE FROM alarms');
      const { deps, raised, reported } = room(db);
      const report = other('not-recorded', { reason });
      await receive(deps, report, ada, 'r');
      await receive(deps, report, ada, 'r');
      const quiet = ['rule', 'on-demand', 'internal-call'].includes(reason);
      expect(await raised()).toEqual(quiet ? [] : [['not_recorded', reason, 1]]);
      expect(reported).toEqual([['not-recorded', reason, 'browser']]);
    }
  });

  test('so is one that is recorded twice', async () => {
    const { deps, raised } = room(db);
    await receive(deps, other('double-recording', {}), ada, 'r');
    expect(await raised()).toEqual([['double_recording', 'flex-recording-on', 1]]);
  });
});
