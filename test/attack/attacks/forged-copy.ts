import { type Attack, forgedWav, oldEnough, putForged, type Scene } from '../scene.ts';

/** A host that answers late makes the copy itself, and grants no lease: somebody who wants one waits for another call. */
const callsAtMost = 20;

/** Takes the lease that a callback is granted, stores `plain` instead of the recording, and reports it as copied. */
async function reportForged(
  scene: Scene,
  plain: Buffer,
  call: Record<string, unknown> = {},
): Promise<{ sid: string; status: number }> {
  const { accountSid } = scene.stack.sandbox.account;
  for (let calls = 1; ; calls += 1) {
    const [sid = ''] = (await scene.call(call)).recordings;
    const callback = { accountSid, recordingSid: sid, status: 'completed', hints: {} };
    const { answer } = await scene.signed('/ingest/recordings', callback);
    if (answer['action'] !== 'copy' && calls < callsAtMost) continue;
    expect(answer).toMatchObject({ action: 'copy', lease: expect.any(String) });
    const object = await putForged(scene, sid, plain);
    const report = { outcome: 'sealed', lease: answer['lease'], object, channels: 2, tookMs: 50 };
    const { status } = await scene.signed(`/ingest/recordings/${sid}/report`, report);
    return { sid, status };
  }
}

const originalOf = (scene: Scene, recording: string) =>
  scene.stack.sandbox.twilio.world.recordings.get(recording);

export const forgedText: Attack = {
  wants: 'to have a text kept as a verified recording, and the original deleted',
  async run(scene) {
    const text = Buffer.from('not a recording, but forty bytes of text.');
    const { sid } = await reportForged(scene, text);
    const row = await scene.reaches(sid, ({ state }) => state === 'verified');
    const original = await originalOf(scene, sid)?.media?.sha256(2);
    expect(row.object?.plaintextSha256).toBe(original);
    const played = await scene.hear(sid, await scene.supervisor());
    expect(played.audio.subarray(0, 4).toString()).toBe('RIFF');
  },
};

export const forgedSound: Attack = {
  wants: 'to have noise of the right length kept as a verified recording, and the original deleted',
  async run(scene) {
    const noise = forgedWav(12, 2);
    const { sid, status } = await reportForged(scene, noise, { seconds: 12 });
    expect(status).toBe(200);
    // Nothing tells noise from a call until the host reads the original.
    const believed = await scene.reaches(sid, ({ state }) => state === 'verified');
    expect(believed.proof).toBeUndefined();
    await scene.deleteSourcesNow([sid]);
    const original = await originalOf(scene, sid)?.media?.sha256(2);
    const proven = await scene.reaches(
      sid,
      ({ state, proof }) => state === 'verified' && proof !== undefined,
    );
    expect(proven.object?.plaintextSha256).toBe(original);
    expect(originalOf(scene, sid)?.status).toBe('completed');
    const { audio } = await scene.hear(sid, await scene.supervisor());
    expect(audio.includes(noise.subarray(44, 4_096))).toBe(false);
  },
};

export const adopted: Attack = {
  wants:
    'to have an object that was only put into the bucket taken for an old recording, and the original deleted',
  async run(scene) {
    const { recordings } = await scene.call({ seconds: 45 });
    const [sid = ''] = recordings;
    const original = await originalOf(scene, sid)?.media?.sha256(2);
    await scene.ago(oldEnough, () => putForged(scene, sid, forgedWav(45, 2)));
    expect(await scene.command(['catalog', 'rebuild', '--json'])).toMatchObject({ code: 0 });
    await scene.reaches(sid, ({ state }) => state === 'verified');
    await scene.deleteSourcesNow([sid]);
    const row = await scene.reaches(sid, ({ state, proof }) => state === 'verified' && proof !== undefined);
    expect(row.object?.plaintextSha256).toBe(original);
  },
};

export const invented: Attack = {
  wants: 'to have a recording that never was kept as evidence of an own call',
  async run(scene) {
    const worker = [...scene.stack.sandbox.twilio.world.workers.values()][0];
    const sid = `RE${'7'.repeat(32)}`;
    await scene.ago(oldEnough, () => putForged(scene, sid, forgedWav(5, 2)));
    expect(await scene.command(['catalog', 'rebuild', '--json'])).toMatchObject({ code: 0 });
    const row = await scene.reaches(sid, ({ state }) => state !== 'registered');
    expect(row.proof).toBeUndefined();
    expect(row.unproven).toEqual(expect.arrayContaining(['owner', 'caller', 'direction', 'start']));
    const agent = await scene.token({ roles: ['agent'], worker_sid: worker?.sid });
    expect((await scene.hear(sid, agent)).status).toBe(403);
  },
};
