import type { Report } from '@flex-custody/core';
import type { Db } from '../../db/db.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { down, sids } from '../testing/live-call.ts';
import { ada, other, pauseReport, room, start } from '../testing/room.ts';
import { consentOf } from './consents.ts';
import { type Reporter, receive } from './receive.ts';

const reporter: Reporter = { by: 'browser', viewer: ada };
type Decision = Extract<Report, { kind: 'consent' }>['decision'];

onEachEngine('whether the caller of a call agreed', (open) => {
  let database: TestDatabase;
  let db: Db;
  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
  });
  afterAll(() => database.drop());
  beforeEach(() => db.query('DELETE FROM pauses; DELETE FROM reports; DELETE FROM audit'));

  const call = () => {
    const set = room(db);
    return {
      ...set,
      decide: (decision: Decision, at: number) =>
        receive(
          set.deps,
          { ...other('consent', { purpose: 'voice-enrolment', decision }), at },
          reporter,
          'r',
          start,
        ),
      asked: () => consentOf(set.deps, sids.conference),
    };
  };

  test('a caller who was not asked has not', async () => {
    expect(await call().asked()).toEqual({ required: true, standing: false, paused: false });
  });

  test('the newest decision counts, of this call alone', async () => {
    const { deps, asked, decide } = call();
    await decide('given', start);
    expect(await asked()).toEqual({ required: true, standing: true, paused: false });
    expect((await consentOf(deps, `CF${'9'.repeat(32)}` as never)).standing).toBe(false);
    await decide('withdrawn', start + 1);
    expect((await asked()).standing).toBe(false);
    await decide('given', start + 2);
    expect((await asked()).standing).toBe(true);
    await decide('refused', start + 3);
    expect((await asked()).standing).toBe(false);
  });

  test('a consent that arrives after it was taken back is none', async () => {
    const { asked, decide } = call();
    await decide('withdrawn', start + 1_000);
    await decide('given', start);
    expect((await asked()).standing).toBe(false);
  });

  test('a paused call is one by the host’s own record, and by the task’s mark where the host does not know yet', async () => {
    const { deps, twilio, asked, decide } = call();
    await decide('given', start);
    twilio.pause(start + 1);
    expect(await asked()).toEqual({ required: true, standing: true, paused: true });
    twilio.attributes = { name: 'kept' };
    expect((await asked()).paused).toBe(false);
    await receive(deps, pauseReport('paused', start + 2), reporter, 'r', start + 2);
    expect((await asked()).paused).toBe(true);
  });

  test('where none is required, a pause still counts', async () => {
    const { deps, twilio } = call();
    const asked = () => consentOf({ ...deps, voiceConsent: 'not-required' }, sids.conference);
    expect(await asked()).toEqual({ required: false, standing: false, paused: false });
    twilio.pause(start);
    expect(await asked()).toEqual({ required: false, standing: false, paused: true });
  });

  test('with Twilio away there is no answer that could be taken for a consent', async () => {
    const { twilio, asked, decide } = call();
    await decide('given', start);
    twilio.failing = down;
    await expect(asked()).rejects.toMatchObject({ code: 'twilio_unavailable' });
  });
});
