import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createStore } from '@flex-custody/vault';
import { until } from '../support/until.ts';
import { type RealHost, startRealHost } from './real-host.ts';

jest.setTimeout(240_000);

let host: RealHost;
let policyFile: string;
const write = (text: string) => writeFileSync(policyFile, `version: 1\n${text}\n`);
/** Puts it in force, also where it holds less. */
const policy = async (text: string) => {
  write(text);
  expect(await host.run('policy', 'apply', policyFile, '--yes')).toMatchObject({ code: 0 });
};
/** As the sandbox's callers are. */
const caller = '+14155550142';

beforeAll(async () => {
  host = await startRealHost({
    CUSTODY_CALLER_SECRET: Buffer.alloc(32, 9).toString('base64'),
    CUSTODY_INSIGHTS_MEASURES: 'agent=1,customer=2,crosstalk=3,silence=4,monologue=5',
  });
  policyFile = join(host.dataDir, 'policy.yaml');
  write('');
  await host.restart({ CUSTODY_POLICY_FILE: policyFile });
});
afterAll(() => host.stop());

/** @param rewritten what the agent's browser has made of the task's attributes by then */
async function taken(rewritten: object = {}): Promise<{ sid: string; task: string }> {
  const { recordings, task } = await host.place({ seconds: 12 });
  const [sid = ''] = recordings;
  const found = host.sandbox.twilio.world.tasks.get(task)!;
  found.attributes = JSON.stringify({ ...JSON.parse(found.attributes), ...rewritten });
  // Without a callback: no Function has it, and the host copies it at once.
  expect((await host.run('reconcile', '--since', '2020-01-01', '--no-bucket')).code).toBe(0);
  await host.reaches(sid, 'verified');
  return { sid, task };
}

/** Twilio is asked whose call it was once the link is made. */
const isKnown = (sid: string) => until(async () => (await host.show(sid)).caller !== undefined);

async function keysInBucket(of: string): Promise<string[]> {
  const store = createStore({ ...host.sandbox.s3, pathStyle: true, mode: 'envelope' });
  const found: string[] = [];
  for await (const { key } of store.versions('')) if (key.includes(of)) found.push(key);
  store.close();
  return found;
}

test("who talked for how long stands in the conversation's measures", async () => {
  const { task } = await taken();
  const measures = () => JSON.parse(host.sandbox.twilio.world.tasks.get(task)!.attributes).conversations;
  for (let tries = 0; tries < 100 && measures().conversation_measure_1 === undefined; tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 100));
  const found = measures();
  const [agent, customer, crosstalk, silence, monologue] = [1, 2, 3, 4, 5].map(
    (n) => found[`conversation_measure_${n}`],
  );
  expect(agent).toBeGreaterThan(1);
  expect(customer).toBeGreaterThan(1);
  expect(agent + customer - crosstalk + silence).toBeCloseTo(12, 0);
  expect(monologue).toBeLessThanOrEqual(Math.max(agent, customer) + silence);
  // Beside the link, which the Player needs.
  expect(JSON.stringify(JSON.parse(host.sandbox.twilio.world.tasks.get(task)!.attributes))).toContain(
    'url_provider',
  );
});

test('from the first look to the certificate', async () => {
  const { sid } = await taken();
  await isKnown(sid);
  expect(await host.show(sid)).toMatchObject({
    queue: 'Everyone',
    direction: 'inbound',
    caller: expect.any(String),
  });
  const unsure = await host.run('erase', '--caller', '+1 (415) 555-0142');
  expect([unsure.code, unsure.out]).toEqual([0, expect.stringContaining(`${sid}  would be erased`)]);
  expect(unsure.out).toContain('Dry run: nothing changed.');
  expect(unsure.err).toContain('--yes');

  await policy(`holds: [{id: case-17, callers: ["${caller}"]}]`);
  const held = await host.run('erase', '--recording', sid, '--yes');
  expect([held.code, held.out]).toEqual([1, expect.stringContaining('held by case-17')]);
  expect((await host.play(sid)).status).toBe(200);

  await policy('');
  const done = await host.run('erase', '--recording', sid, '--reference', 'ticket 17', '--yes');
  expect([done.code, done.out]).toEqual([0, expect.stringContaining('erased')]);
  expect(await keysInBucket(sid)).toEqual([]);
  expect(host.sandbox.twilio.world.recordings.get(sid)?.status).toBe('deleted');
  expect((await host.play(sid)).status).toBe(404);
  const row = await host.show(sid);
  expect(row).toMatchObject({ state: 'erased', certificate: expect.any(String) });
  expect(done.out).toContain(`Certificate: ${row.certificate}\n`);
  expect(JSON.stringify(row)).not.toMatch(/"(WT|CA|WK|WR)/);

  const file = join(host.dataDir, 'certificate.jws');
  writeFileSync(file, (await host.run('certificates', 'show', row.certificate ?? '')).out);
  const key = join(host.dataDir, 'key.jwk');
  writeFileSync(key, (await host.run('certificates', 'key')).out);
  const verified = await host.run('certificates', 'verify', file, '--key', key, '--json');
  expect([verified.code, JSON.parse(verified.out)]).toEqual([
    0,
    expect.objectContaining({
      isOfExpected: true,
      isListed: true,
      certificate: expect.objectContaining({
        reason: 'erasure',
        reference: 'ticket 17',
        recordings: [expect.objectContaining({ recording: sid, twilio: 'deleted' })],
      }),
    }),
  ]);
  // This host verifies by the keys that it lists.
  expect((await host.run('certificates', 'verify', file)).code).toBe(0);
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^(.{30})./, '$1x'));
  expect((await host.run('certificates', 'verify', file, '--key', key)).code).toBe(1);

  // Nothing brings it back: neither its callback nor a look at everything.
  expect(await host.announce(sid)).toMatchObject({ answer: { action: 'done' } });
  expect((await host.run('reconcile', '--since', '2020-01-01')).code).toBe(0);
  expect(await host.show(sid)).toEqual(row);
  expect(await keysInBucket(sid)).toEqual([]);
});

test('an agent who rewrites the attributes of a task takes its call out of nothing', async () => {
  const forged = '+442079460958';
  const { sid } = await taken({ direction: 'internal', from: forged, caller: forged, name: forged });
  await isKnown(sid);
  const row = await host.show(sid);
  expect(row).toMatchObject({ direction: 'inbound', hintedCallers: expect.any(Array) });
  await policy(
    `keep: {rules: [{direction: internal, days: 1}]}\nholds: [{id: case-17, callers: ["${caller}"]}]`,
  );
  expect((await host.run('erase', '--recording', sid, '--yes')).out).toContain('held by case-17');
  await policy(`holds: [{id: case-18, callers: ["${forged}"]}]`);
  expect((await host.run('erase', '--recording', sid, '--yes')).out).toContain('held by case-18');
  await policy('');
  expect((await host.run('erase', '--caller', caller)).out).toContain(`${sid}  would be erased`);
  expect((await host.run('erase', '--caller', forged)).out).not.toContain(sid);
});

test('the policy decides by queue and direction, and says so before', async () => {
  const { sid } = await taken();
  write('keep: {default: 30, rules: [{queue: Everyone, direction: outbound, days: 1}]}');
  const check = await host.run('policy', 'check');
  expect([check.code, check.out]).toEqual([
    0,
    expect.stringContaining('outbound in Everyone are kept for 1 days'),
  ]);
  write('holds: [{id: a, callers: ["+49 (0)30 123456"]}]');
  expect((await host.run('policy', 'check')).out).toContain('Hold a: callers +4930123456.');
  expect(JSON.parse((await host.run('policy', 'check', '--json')).out)).toMatchObject({
    holds: [{ id: 'a', callers: 1, numbers: ['+4930123456'] }],
  });
  write('holds: [{id: a, callers: ["030 7654321"]}]');
  const refused = await host.run('policy', 'check');
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('in international form with +')]);
  expect(refused.err).not.toContain('7654321');
  await policy('keep: {default: 30, rules: [{queue: Everyone, direction: outbound, days: 1}]}');
  expect((await host.run('retention', '--dry-run')).out).toContain('Dry run: nothing changed.');
  // A call of two months ago.
  const recording = host.sandbox.twilio.world.recordings.get(sid)!;
  recording.startedAt = new Date(Date.now() - 60 * 24 * 60 * 60_000);
  expect(await host.show(sid)).toMatchObject({ state: 'verified' });
  write('keep: {default: soon}');
  expect(await host.run('policy', 'check')).toMatchObject({
    code: 1,
    err: expect.stringContaining('keep.default'),
  });
  expect(await host.run('policy', 'apply', policyFile, '--yes')).toMatchObject({
    code: 1,
    err: expect.stringContaining('policy_invalid'),
  });
  await policy('');
});
