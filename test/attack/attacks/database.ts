import { createStore } from '@flex-custody/vault';
import { newSid } from '../../../sandbox/src/sids.ts';
import type { Attack } from '../scene.ts';
import { forgedWav } from '../scene.ts';

export const anothersDatabase: Attack = {
  wants: 'to play, fail and erase the recordings of another account by a host on the same database',
  async run(scene) {
    const { recordings } = await scene.call();
    const [sid = ''] = recordings;
    expect(await scene.command(['reconcile', '--since', '2020-01-01', '--no-bucket'])).toMatchObject({
      code: 0,
    });
    await scene.reaches(sid, ({ state }) => state === 'verified');
    await scene.stack.stopServer();
    // Without the connector's file, which names its account and would be refused first.
    const other = { TWILIO_ACCOUNT_SID: newSid('AC'), CUSTODY_BREVO_FILE: '' };
    for (const words of [
      ['erase', '--recording', sid, '--yes'],
      ['reconcile', '--since', '2020-01-01'],
      ['serve'],
    ]) {
      const refused = await scene.command(words, other);
      expect(refused.code).not.toBe(0);
      expect(refused.err).toContain('adopt-database');
    }
    await scene.stack.startServer();
    expect(await scene.row(sid)).toMatchObject({ state: 'verified' });
    expect(scene.stack.sandbox.twilio.world.recordings.get(sid)?.status).toBe('completed');
  },
};

export const anothersSecret: Attack = {
  wants: 'to switch every hold by caller off, by another secret for callers',
  async run(scene) {
    await scene.stack.stopServer();
    const other = { CUSTODY_CALLER_SECRET: Buffer.alloc(32, 8).toString('base64') };
    const refused = await scene.command(['serve'], other);
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain('CUSTODY_CALLER_SECRET');
    await scene.stack.startServer();
  },
};

export const forgedImport: Attack = {
  wants: 'to replace what Twilio still has, by an object in the old bucket',
  async run(scene) {
    const { recordings } = await scene.call({ seconds: 45 });
    const [sid = ''] = recordings;
    const { s3 } = scene.stack.sandbox;
    const old = createStore({ ...s3, pathStyle: true, mode: 'sse-kms' });
    // Two seconds whose header claims no rate at all, so that its length proves nothing.
    await old.putBytes(`old/${sid}.wav`, forgedWav(2, 2, 0));
    const done = await scene.command(['import', '--from', `s3://${s3.bucket}/old`, '--json']);
    expect(done).toMatchObject({ code: 0 });
    const row = await scene.reaches(sid, ({ state }) => state === 'verified');
    const original = scene.stack.sandbox.twilio.world.recordings.get(sid);
    expect(row.object?.plaintextSha256).toBe(await original?.media?.sha256(2));
    old.close();
  },
};
