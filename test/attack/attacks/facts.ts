import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccountSid } from '@flex-custody/core';
import { sealBytes } from '@flex-custody/vault';
import { touchTask } from '../../../sandbox/src/world.ts';
import { createPolicies } from '../../../server/src/retention/policies.ts';
import { type Attack, oldEnough, type Scene } from '../scene.ts';

/** Who calls in the sandbox. */
const caller = '+14155550142';

/** Registers and copies a recording without a Function, and waits for its copy and its link. */
async function taken(scene: Scene, recording: string): Promise<void> {
  const since = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  expect(await scene.command(['reconcile', '--since', since, '--no-bucket'])).toMatchObject({ code: 0 });
  await scene.reaches(recording, ({ state, linkState }) => state === 'verified' && linkState !== 'pending');
}

export const liftedHold: Attack = {
  wants: 'to have a call erased that is on legal hold, by what the browser writes into its task',
  async run(scene) {
    const { recordings, task } = await scene.call();
    const [sid = ''] = recordings;
    const found = scene.stack.sandbox.twilio.world.tasks.get(task)!;
    const forged = { ...JSON.parse(found.attributes), direction: 'internal', from: '+19990000000' };
    touchTask(found, { attributes: JSON.stringify(forged) });
    await taken(scene, sid);
    const { accountSid } = scene.stack.sandbox.account;
    await scene.meanwhile(async (db) => {
      await createPolicies(db, accountSid as AccountSid).apply(
        `version: 1\nkeep: {default: forever, rules: [{direction: internal, days: 1}]}\nholds: [{id: case-1, callers: ["${caller}"]}]\n`,
        'test',
      );
    });
    const erased = await scene.command(['erase', '--recording', sid, '--yes']);
    expect(`${erased.out}${erased.err}`).toContain('held by case-1');
    // And an erasure that the caller asks for finds the call.
    const asked = await scene.command(['erase', '--caller', caller]);
    expect(asked.out).toContain(`${sid}  held by case-1`);
    expect(await scene.row(sid)).toMatchObject({ state: 'verified', direction: 'inbound' });
    // It stays in force for every process that has the database; the other attacks want none.
    await scene.meanwhile(async (db) => {
      await createPolicies(db, accountSid as AccountSid).apply('version: 1\n', 'test');
    });
  },
};

export const forgedSidecar: Attack = {
  wants: 'to own a call, and to have it expire, by a sidecar that the public key sealed',
  async run(scene) {
    const { recordings, reservations } = await scene.call();
    const [sid = ''] = recordings;
    await scene.ago(oldEnough, () => taken(scene, sid));
    const before = await scene.reaches(sid, ({ sidecar }) => sidecar !== undefined);
    const attacker = [...scene.stack.sandbox.twilio.world.workers.keys()].find(
      (worker) => worker !== reservations[0]?.worker,
    );
    const { accountSid } = scene.stack.sandbox.account;
    const forged = {
      version: 1,
      recordingSid: sid,
      accountSid,
      workerSid: attacker,
      direction: 'internal',
      channels: 2,
      startedAt: '2019-01-01T00:00:00.000Z',
      source: 'callback',
      object: before.object,
      verifiedAt: new Date().toISOString(),
      sourceDeletedAt: new Date().toISOString(),
    };
    const sealed = await sealBytes(
      scene.stolen.publicKeys,
      { account: accountSid, recording: sid },
      Buffer.from(JSON.stringify(forged)),
    );
    const put = scene.stolen.store.putBytes(`recordings/${accountSid}/${sid}.json`, sealed);
    await expect(put).rejects.toMatchObject({ code: 'store_denied' });
    // With the rights that a wrong policy may give the Functions.
    await scene.ago(oldEnough, () =>
      scene.asHost((store) => store.putBytes(`recordings/${accountSid}/${sid}.json`, sealed)),
    );
    await scene.meanwhile(async (db) => {
      await db.query('DELETE FROM recordings WHERE recording_sid = $1', [sid]);
    });
    expect(await scene.command(['catalog', 'rebuild', '--json'])).toMatchObject({ code: 0 });
    const row = await scene.reaches(sid, ({ state }) => state === 'verified');
    expect(row.workerSid).not.toBe(attacker);
    expect(row.direction).not.toBe('internal');
    expect(new Date(row.startedAt).getUTCFullYear()).not.toBe(2019);
    expect(row.sourceDeletedAt).toBeUndefined();
    const held = await scene.token({ roles: ['agent'], worker_sid: attacker });
    expect((await scene.hear(sid, held)).status).toBe(403);
  },
};

export const escapedHold: Attack = {
  wants: 'to escape a hold by the way its number is written',
  async run(scene) {
    const policyFile = join(scene.dataDir, 'numbers.yaml');
    const check = async (number: string) => {
      writeFileSync(policyFile, `version: 1\nholds: [{id: case-2, callers: ["${number}"]}]\n`);
      return scene.command(['policy', 'check'], { CUSTODY_POLICY_FILE: policyFile });
    };
    expect((await check('+49 (0)30 123456')).out).toContain('+4930123456');
    expect(await check('030 123456')).toMatchObject({ code: 1 });
  },
};
