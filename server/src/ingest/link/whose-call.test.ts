import { callerDigests } from '../../retention/caller.ts';
import { daysOf, holdsOn } from '../../retention/decide.ts';
import { readPolicy } from '../../retention/policy.ts';
import { house, sharedDatabase } from '../testing/house.ts';
import { recorded, scene, sids } from '../testing/scene.ts';

const shared = sharedDatabase();
const digest = callerDigests(Buffer.alloc(32, 5).toString('base64'))!;
const customer = '+14155550142';
const sid = sids.recording(1);
const policy = readPolicy(`
version: 1
keep: {default: forever, rules: [{direction: inbound, days: forever}, {direction: internal, days: 1}]}
holds: [{id: case, callers: ["${customer}"]}]
`);

/** The worker's browser wrote into the task before the recording was linked. */
async function linkedTo(attributes: object) {
  const twilio = scene();
  const host = await house(twilio, shared.db, { callerDigest: digest });
  twilio.write(sids.task, (found) => Object.assign(found, attributes));
  await host.ingest.receive(recorded(twilio, 1));
  const row = async () => (await host.catalog.find(sid))!;
  expect(await row()).toMatchObject({ linkState: 'linked', taskSid: sids.task });
  return { ...host, row };
}

test('attributes that an agent rewrites take a call neither out of a hold nor into a shorter period', async () => {
  const { catalog, queue, row } = await linkedTo({ direction: 'internal', from: '+19990000000' });
  const before = await row();
  expect(before).not.toHaveProperty('direction');
  expect(before).not.toHaveProperty('caller');
  expect([daysOf(policy, before), holdsOn(policy, before, digest)]).toEqual(['forever', ['case']]);
  expect(queue.facts).toEqual([sid]);
  await catalog.calledBy(sid, { direction: 'inbound', caller: digest(customer), others: [] });
  const after = await row();
  expect([daysOf(policy, after), holdsOn(policy, after, digest)]).toEqual(['forever', ['case']]);
  const found = await catalog.selected({ callers: [digest(customer)] }, undefined, 10);
  expect(found.map(({ recordingSid }) => recordingSid)).toEqual([sid]);
});

test('what Twilio says in a moment comes with the link, and needs no job', async () => {
  const twilio = scene();
  const caller = digest(customer);
  const others = [digest('+4930123456')];
  const { catalog, ingest, queue } = await house(twilio, shared.db, {
    callerDigest: digest,
    whoseCall: async () => ({ direction: 'inbound', caller, others }),
  });
  await ingest.receive(recorded(twilio, 1));
  const row = await catalog.find(sid);
  expect(row).toMatchObject({ linkState: 'linked', direction: 'inbound', caller });
  expect(row?.hintedCallers).toEqual(expect.arrayContaining(others));
  expect(queue.facts).toEqual([]);
});

test('a number that an agent writes there has nothing erased, and can only add a hold', async () => {
  const { catalog, row } = await linkedTo({
    direction: 'inbound',
    from: customer,
    customers: { phone: 'x' },
  });
  await catalog.calledBy(sid, { direction: 'outbound', caller: digest('+4930123456'), others: [] });
  expect(holdsOn(policy, await row(), digest)).toEqual(['case']);
  expect(await catalog.selected({ callers: [digest(customer)] }, undefined, 10)).toEqual([]);
  const other = readPolicy('version: 1\nholds: [{id: other, callers: ["+442079460958"]}]');
  expect(holdsOn(other, await row(), digest)).toEqual([]);
});

test('Twilio is asked too where a recording finds no task', async () => {
  const twilio = scene();
  const { catalog, ingest, queue } = await house(twilio, shared.db, { callerDigest: digest });
  twilio.tasks.clear();
  await ingest.receive(recorded(twilio, 1));
  expect(await catalog.find(sid)).toMatchObject({ linkState: 'unlinked' });
  expect(queue.facts).toEqual([sid]);
});
