import { CustodyError } from '@flex-custody/core';
import { wav } from '../../../../packages/vault/test/support.ts';
import { sids } from '../testing/scene.ts';
import { audio, job, sid, vault } from '../testing/vault.ts';

const at = vault();

describe('pauses of the kind skip', () => {
  const report = (when: string, kind: 'paused' | 'resumed', behavior = 'skip') =>
    at.shared.db.query(
      `INSERT INTO reports (id, kind, at, task_sid, details, by)
       VALUES (gen_random_uuid(), $1, $2, $3, $4::jsonb, 'function')`,
      [kind, when, sids.task, JSON.stringify({ behavior })],
    );

  test('may be missing from the audio, wherever that is asked; no more than they took', async () => {
    await report('2026-11-20T10:00:06Z', 'paused');
    await report('2026-11-20T10:00:26Z', 'resumed');
    const host = await at.open({ durationSeconds: 24 });
    host.configure({ pause: { enabled: true, behavior: 'skip', resumeAfterSeconds: 0 } });
    const answer = await host.ingest.receive(host.callback);
    expect(answer).toMatchObject({ source: { durationSeconds: 24, pausedSeconds: 20 } });
    await host.leaseLapses();
    await host.copiedByHost();
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'verified', proof: { by: 'copy' } });
    await at.shared.db.query('UPDATE recordings SET proof = NULL');
    await host.queue.run('prove', job);
    expect(await host.catalog.find(sid)).toMatchObject({ proof: { by: 'second-look' } });
    at.media.offer(wav(2));
    await at.shared.db.query('UPDATE recordings SET proof = NULL');
    await expect(host.queue.run('prove', job)).rejects.toMatchObject({ code: 'media_short' });
  });

  test.each([
    ['counts', 24],
    ['does not count', 4],
  ])('are no fault of a recording, where Twilio’s duration %s them', async (_what, durationSeconds) => {
    await report('2026-11-20T10:00:06Z', 'paused');
    await report('2026-11-20T10:00:26Z', 'resumed');
    const host = await at.open({ durationSeconds });
    host.configure({ pause: { enabled: true, behavior: 'skip', resumeAfterSeconds: 0 } });
    await host.ingest.receive(host.callback);
    await host.leaseLapses();
    await host.copiedByHost();
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'verified', proof: { by: 'copy' } });
    // And as an object that a Function wrote, which knew of no pause.
    await at.shared.db.query(`UPDATE recordings SET state = 'sealed', proof = NULL, verified_at = NULL`);
    await host.queue.run('verify', job);
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'verified' });
    await host.queue.run('prove', job);
    expect(await host.catalog.find(sid)).toMatchObject({ proof: expect.anything() });
    expect(await host.alarmCodes()).toEqual([]);
  });

  test('that are known late let the host’s next try succeed', async () => {
    const host = await at.open({ durationSeconds: 24 });
    await host.ingest.receive(host.callback);
    await host.leaseLapses();
    await expect(host.queue.run('copy', job)).rejects.toBeInstanceOf(CustodyError);
    expect(await host.catalog.find(sid)).toMatchObject({ failure: 'media_short' });
    await report('2026-11-20T10:00:06Z', 'paused');
    await report('2026-11-20T10:00:26Z', 'resumed');
    await host.copiedByHost();
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'verified' });
  });

  test('that put silence there instead excuse nothing', async () => {
    await report('2026-11-20T10:00:06Z', 'paused', 'silence');
    await report('2026-11-20T10:00:26Z', 'resumed');
    const host = await at.open({ durationSeconds: 24 });
    await host.verified(audio);
    expect(await host.catalog.find(sid)).toMatchObject({ failure: 'object_length' });
  });
});
