import { CustodyError } from '@flex-custody/core';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { receive } from '../reports/receive.ts';
import { down, sids } from '../testing/live-call.ts';
import { ada, minute, pauseReport, room, start } from '../testing/room.ts';
import { look } from './look.ts';
import { createPauses } from './pauses.ts';

const byFunction = { by: 'function', viewer: ada } as const;

onEachEngine('looking after a paused call', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await database.db.query('DELETE FROM pauses; DELETE FROM reports; DELETE FROM alarms');
  });

  /** A call that the Function paused at `start`, of which the host has heard. */
  const paused = async (change: Parameters<typeof room>[1] = {}) => {
    const set = room(database.db, change);
    set.twilio.pause(start);
    await receive(set.deps, pauseReport('paused', start), byFunction, 'r', start);
    // The first look finds out by itself what is paused.
    if (change.enabled !== false) await look(set.deps, sids.conference, start);
    set.twilio.changes = [];
    set.sent.length = 0;
    return {
      ...set,
      lookAt: (now: number) => look(set.deps, sids.conference, now),
      again: (at: number) => receive(set.deps, pauseReport('paused', at), byFunction, 'r', at),
      row: () => createPauses(database.db).find(sids.conference),
    };
  };

  test('it stays paused until it is due, and the next look follows in ten seconds', async () => {
    const { twilio, sent, lookAt } = await paused();
    expect(await lookAt(start + 10 * minute - 1)).toBe('lasts');
    expect(twilio.changes).toEqual([]);
    expect(twilio.mark().paused).toBeDefined();
    expect(sent).toEqual([{ conferenceSid: sids.conference, startAfterMs: 10_000, once: sids.conference }]);
  });

  test('when due everything runs again, the mark is gone, what others wrote stays', async () => {
    const { twilio, sent, lookAt, row } = await paused();
    twilio.record(2, 1);
    expect(await lookAt(start + 10 * minute)).toBe('over');
    expect(twilio.states()).toEqual(['in-progress', 'in-progress']);
    expect(twilio.attributes).toEqual({ name: 'kept' });
    expect(await row()).toMatchObject({ endedBy: 'timer' });
    expect(sent).toEqual([]);
    expect(await lookAt(start + 11 * minute)).toBe('over');
    expect(twilio.changes).toHaveLength(2);
  });

  test('without a timer it lasts, and the wrap-up ends it', async () => {
    const { twilio, lookAt, row } = await paused({ resumeAfterSeconds: 0 });
    expect(await lookAt(start + 600 * minute)).toBe('lasts');
    twilio.status = 'wrapping';
    // Handed over: another agent has it.
    expect(await lookAt(start + minute)).toBe('lasts');
    twilio.accepted = false;
    expect(await lookAt(start + minute)).toBe('over');
    expect(twilio.states()).toEqual(['in-progress']);
    expect(await row()).toMatchObject({ endedBy: 'wrap-up' });
  });

  test.each(['completed', 'canceled', undefined])('a task that is %s is over', async (status) => {
    const { twilio, lookAt } = await paused();
    twilio.accepted = false;
    twilio.status = status;
    expect(await lookAt(start + 1)).toBe('over');
    expect(twilio.states()).toEqual(['in-progress']);
  });

  test('a call that is over needs nothing but its mark taken off', async () => {
    const { twilio, lookAt, row } = await paused();
    twilio.live = false;
    expect(await lookAt(start + 1)).toBe('over');
    expect(twilio.changes).toEqual([]);
    expect(twilio.mark()).toEqual({});
    expect(await row()).toMatchObject({ endedBy: 'over' });
  });

  test('who joins while it is paused is paused too, once', async () => {
    const { twilio, lookAt } = await paused();
    twilio.legs.push({ callSid: sids.call(3), to: 'client:bob' });
    twilio.record(3, 3);
    await lookAt(start + 1);
    await lookAt(start + 2);
    expect(twilio.changes).toEqual(['3 paused']);
    expect(twilio.states()).toEqual(['paused', 'paused']);
  });

  test('what the report leaves out is paused: the host asks Twilio', async () => {
    const set = room(database.db);
    await receive(set.deps, pauseReport('paused', start), byFunction, 'r', start);
    expect(await look(set.deps, sids.conference, start)).toBe('lasts');
    expect(set.twilio.states()).toEqual(['paused']);
  });

  test('what is streamed of it to anybody ends with the next look', async () => {
    const { twilio, lookAt } = await paused();
    for (const { callSid } of twilio.legs) twilio.streams.add(`${callSid} ${callSid}`);
    await lookAt(start + 1);
    expect([...twilio.streams]).toEqual([]);
  });

  /** The agent resumes while the look is about to pause who joined. */
  const joinedWhileResuming = async (
    meanwhile: (set: Awaited<ReturnType<typeof paused>>) => Promise<void>,
  ) => {
    const set = await paused();
    const { twilio } = set;
    twilio.legs.push({ callSid: sids.call(3), to: 'client:bob' });
    twilio.record(3, 3);
    twilio.beforeChange = async () => {
      twilio.beforeChange = undefined;
      for (const recording of twilio.recordings.values()) recording.status = 'in-progress';
      twilio.attributes = { name: 'kept' };
      twilio.version += 1;
      await receive(set.deps, pauseReport('resumed', start + 1), byFunction, 'r', start + 1);
      await meanwhile(set);
    };
    return set;
  };

  test('who joins while it is being resumed does not stay paused', async () => {
    const { twilio, lookAt, row } = await joinedWhileResuming(async () => undefined);
    expect(await lookAt(start + 1)).toBe('over');
    expect(twilio.changes[0]).toBe('3 paused');
    expect(twilio.states()).toEqual(['in-progress', 'in-progress']);
    expect(await row()).toMatchObject({ endedBy: 'function' });
  });

  test('nor where another look has ended the pause meanwhile', async () => {
    const { twilio, lookAt, row } = await joinedWhileResuming(async (set) => {
      expect(await set.lookAt(start + 1)).toBe('over');
    });
    expect(await lookAt(start + 1)).toBe('over');
    expect(twilio.states()).toEqual(['in-progress', 'in-progress']);
    expect(await row()).toMatchObject({ endedBy: 'function' });
  });

  test('where pausing was switched off meanwhile, it ends at once', async () => {
    const { twilio, lookAt } = await paused({ enabled: false });
    expect(await lookAt(start + 1)).toBe('over');
    expect(twilio.states()).toEqual(['in-progress']);
  });

  test('with Twilio away the look is tried again soon; when it is late somebody is told, until it is mended', async () => {
    const { twilio, sent, raised, lookAt } = await paused();
    twilio.failing = down;
    expect(await lookAt(start + 10 * minute + 1)).toBe('lasts');
    expect(sent).toHaveLength(1);
    expect(await raised()).toEqual([]);
    await lookAt(start + 11 * minute + 1);
    expect(await raised()).toEqual([['resume_failed', 'twilio_unavailable', 1]]);
    twilio.failing = undefined;
    expect(await lookAt(start + 12 * minute)).toBe('over');
    expect(await raised()).toEqual([]);
  });

  test('what no try will mend goes to the dead letters, and the pause stays open for the sweep', async () => {
    const { twilio, lookAt, row } = await paused();
    twilio.failing = new CustodyError('twilio_unauthorized', 'no');
    await expect(lookAt(start + 1)).rejects.toMatchObject({ code: 'twilio_unauthorized' });
    expect((await row())?.endedAt).toBeUndefined();
  });

  test('a pause that is renewed while we resume holds', async () => {
    const { twilio, again, lookAt, row } = await paused();
    twilio.beforeChange = async () => {
      twilio.beforeChange = undefined;
      await again(start + 10 * minute);
    };
    expect(await lookAt(start + 10 * minute)).toBe('lasts');
    expect(twilio.states()).toEqual(['paused']);
    expect((await row())?.endedAt).toBeUndefined();
  });

  test('a newer mark, whose report is still on its way, keeps it paused', async () => {
    const { twilio, lookAt, row } = await paused();
    const since = start + 10 * minute - 5;
    twilio.pause(since);
    expect(await lookAt(start + 10 * minute)).toBe('lasts');
    expect(twilio.states()).toEqual(['paused']);
    expect(await row()).toMatchObject({ dueAt: new Date(since + 10 * minute) });
    // One of the future is no clock's, and keeps nothing.
    twilio.pause(start + 900 * minute);
    expect(await lookAt(start + 30 * minute)).toBe('over');
  });

  test('a report of a pause that our resuming undid pauses all of it again', async () => {
    const { twilio, again, lookAt } = await paused();
    await lookAt(start + 10 * minute);
    // Its end is by the database's clock, which is past the pause of the report.
    await database.db.query('UPDATE pauses SET ended_at = $1', [new Date(start + 10 * minute + 50)]);
    await again(start + 10 * minute + 20);
    expect(await lookAt(start + 10 * minute + 60)).toBe('lasts');
    expect(twilio.states()).toEqual(['paused']);
  });
});
