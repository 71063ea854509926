import { notRecordedReasons } from '@flex-custody/core';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { type Db, migrate } from '../../db.ts';
import { look } from '../pauses/look.ts';
import { createPauses } from '../pauses/pauses.ts';
import { down, sids } from '../testing/live-call.ts';
import { minute, other, pauseReport, room, start } from '../testing/room.ts';
import { receive, type Teller } from './receive.ts';

const ada: Teller = { by: 'browser', viewer: { identity: 'ada', workerSid: sids.worker, roles: ['agent'] } };
const eve: Teller = { by: 'browser', viewer: { identity: 'eve', roles: ['agent'] } };
const ours: Teller = { by: 'function' };

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
    const { parts, sent, reported } = room(db);
    const report = pauseReport('paused', start, { workerSid: sids.worker, reservationSid: sids.reservation });
    await receive(parts, report, ours, 'r1', start + 500);
    expect(await kept()).toMatchObject([
      {
        id: report.id,
        kind: 'paused',
        at: new Date(start),
        task_sid: sids.task,
        reservation_sid: sids.reservation,
        worker_sid: sids.worker,
        conference_sid: sids.conference,
        details: { recordings: [sids.recording(1)], behavior: parts.settings.behavior },
        by: 'function',
      },
    ]);
    expect(await pause()).toMatchObject({
      dueAt: new Date(start + 10 * minute),
      recordings: [sids.recording(1)],
    });
    expect(sent).toEqual([{ conferenceSid: sids.conference, once: `told:${sids.conference}` }]);
    expect(reported).toEqual([['paused', '', 'function']]);
  });

  test('told twice it counts once', async () => {
    const { parts, sent, reported } = room(db);
    const report = pauseReport('paused', start);
    await receive(parts, report, ours, 'r1', start);
    await receive(parts, report, ada, 'r2', start + minute);
    expect(await kept()).toHaveLength(1);
    expect(reported).toHaveLength(1);
    expect(await pause()).toMatchObject({ dueAt: new Date(start + 10 * minute) });
    // The job may have been lost with the first answer.
    expect(sent).toHaveLength(2);
  });

  test('a second pause renews, an older report that comes late changes nothing', async () => {
    const { parts } = room(db);
    await receive(parts, pauseReport('paused', start), ours, 'r', start);
    const second = pauseReport('paused', start + minute, { recordings: [sids.recording(2)] });
    await receive(parts, second, ours, 'r', start + minute);
    await receive(parts, pauseReport('resumed', start + minute - 1), ours, 'r', start + minute);
    expect(await pause()).toMatchObject({
      dueAt: new Date(start + 11 * minute),
      dueBy: 'timer',
      recordings: [sids.recording(1), sids.recording(2)],
      endedAt: undefined,
    });
  });

  test('a resumed report has the next look close it, whoever it is from, and what it claims be so', async () => {
    const { parts, twilio } = room(db);
    twilio.pause(start);
    await receive(parts, pauseReport('paused', start), ours, 'r', start);
    await receive(parts, pauseReport('resumed', start + 5_000), ada, 'r', start + 5_000);
    expect(await look(parts, sids.conference)).toBe('over');
    expect(twilio.states()).toEqual(['in-progress']);
    expect(await pause()).toMatchObject({ endedBy: 'browser' });
  });

  test('the end heard before the beginning: the beginning opens nothing', async () => {
    const { parts } = room(db);
    await receive(parts, pauseReport('resumed', start + 5_000), ours, 'r', start + 5_000);
    await receive(parts, pauseReport('paused', start), ours, 'r', start + 6_000);
    expect(await pause()).toMatchObject({ endedBy: 'function' });
  });

  test("a browser's pause is measured by our clock, and dated no later than now", async () => {
    const { parts } = room(db);
    await receive(parts, pauseReport('paused', start - 300 * minute), ada, 'r', start);
    expect(await pause()).toMatchObject({ dueAt: new Date(start + 10 * minute) });
    await receive(parts, pauseReport('paused', start + 300 * minute), ada, 'r', start + minute);
    expect(await pause()).toMatchObject({
      lastAt: new Date(start + minute),
      dueAt: new Date(start + 11 * minute),
    });
  });

  test.each([
    ['has no leg in it', eve, {}],
    ['has a leg but names the task of another', ada, { taskSid: sids.otherTask }],
  ])('a browser whose user %s is refused, and nothing is kept', async (_what, teller, change) => {
    const { parts, sent } = room(db);
    for (const kind of ['paused', 'resumed'] as const)
      await expect(
        receive(parts, pauseReport(kind, start, change), teller, 'r', start),
      ).rejects.toMatchObject({
        code: 'not_your_call',
        status: 403,
      });
    expect([await kept(), await pause(), sent]).toEqual([[], undefined, []]);
  });

  test('a conference that is not named after its task needs a reservation of the worker', async () => {
    const { parts, twilio } = room(db);
    twilio.friendlyName = 'room 7';
    const report = pauseReport('paused', start);
    await expect(receive(parts, report, ada, 'r', start)).rejects.toMatchObject({ code: 'not_your_call' });
    twilio.reserved = [
      { sid: sids.reservation, taskSid: sids.task, workerSid: sids.worker, dateUpdated: new Date() },
    ];
    await receive(parts, report, ada, 'r', start);
    expect(await pause()).toBeDefined();
  });

  test('of a call that is over a browser is heard, and nothing is begun', async () => {
    const { parts, twilio, sent } = room(db);
    twilio.live = false;
    await receive(parts, pauseReport('paused', start), eve, 'r', start);
    expect(await kept()).toMatchObject([{ by: 'browser', worker_sid: null }]);
    expect([await pause(), sent]).toEqual([undefined, []]);
  });

  test('with Twilio away a browser is asked to come again; a Function is not', async () => {
    const { parts, twilio } = room(db);
    twilio.failing = down;
    const report = pauseReport('paused', start);
    await expect(receive(parts, report, ada, 'r', start)).rejects.toMatchObject({
      status: 503,
      retryable: true,
    });
    expect(await kept()).toEqual([]);
    await receive(parts, report, ours, 'r', start);
    expect(await pause()).toBeDefined();
  });

  test('of who is said to have done it, a browser is not believed', async () => {
    const { parts } = room(db);
    await receive(
      parts,
      pauseReport('paused', start, { workerSid: `WK${'9'.repeat(32)}` as never }),
      ada,
      'r',
      start,
    );
    expect(await kept()).toMatchObject([{ worker_sid: sids.worker }]);
  });

  test('a consent leaves an audit entry, and without one it is not taken', async () => {
    const { parts, reported } = room(db);
    const report = other('consent', { purpose: 'voice-enrolment', decision: 'given', callSid: sids.call(1) });
    const failing: Db = {
      ...db,
      transaction: (work) =>
        db.transaction((inner) =>
          work({
            ...inner,
            query: (sql, values) =>
              /into audit/.test(sql) ? Promise.reject(new Error('full')) : inner.query(sql, values),
          }),
        ),
    };
    await expect(receive({ ...parts, db: failing }, report, ada, 'r1')).rejects.toMatchObject({
      code: 'audit_unavailable',
      status: 503,
    });
    expect(await kept()).toEqual([]);
    await receive(parts, report, ada, 'r2');
    await receive(parts, report, ada, 'r3');
    await receive(
      parts,
      other('consent', { purpose: 'voice-verification', decision: 'refused' }),
      ours,
      'r4',
    );
    expect(
      await db.query(
        'SELECT viewer, worker_sid, action, recording_sid, allowed, reason, request_id FROM audit ORDER BY id',
      ),
    ).toEqual([
      {
        viewer: 'ada',
        worker_sid: sids.worker,
        action: 'voice-consent',
        recording_sid: sids.call(1),
        allowed: true,
        reason: 'voice-enrolment:given',
        request_id: 'r2',
      },
      {
        viewer: 'function',
        worker_sid: null,
        action: 'voice-consent',
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

  test('a call that is not recorded is an alarm, unless that is as the site wants it', async () => {
    for (const reason of notRecordedReasons) {
      await db.query('DELETE FROM alarms');
      const { parts, raised, reported } = room(db);
      const report = other('not-recorded', { reason });
      await receive(parts, report, ada, 'r');
      await receive(parts, report, ada, 'r');
      const quiet = ['rule', 'on-demand', 'internal-call'].includes(reason);
      expect(await raised()).toEqual(quiet ? [] : [['not_recorded', reason, 1]]);
      expect(reported).toEqual([['not-recorded', reason, 'browser']]);
    }
  });

  test('so is one that is recorded twice', async () => {
    const { parts, raised } = room(db);
    await receive(parts, other('double-recording', {}), eve, 'r');
    expect(await raised()).toEqual([['double_recording', 'flex-recording-on', 1]]);
  });
});
