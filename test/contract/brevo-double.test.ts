import { type BrevoServer, startBrevo } from '../../sandbox/src/brevo/index.ts';
import type { BrevoEvent } from '../../server/src/connectors/brevo/brevo-api.ts';
import { createBrevo } from '../../server/src/connectors/brevo/client.ts';

/** The connector's client against the double: what the one sends is what the other takes, and the answers are read. */
let server: BrevoServer;
beforeAll(async () => {
  server = await startBrevo();
});
afterAll(() => server.close());

const learned: { of: string; limit?: number | undefined; remaining?: number | undefined }[] = [];
const budgets = {
  turn: async () => undefined,
  learn: async (of: string, report: object) => void learned.push({ of, ...report }),
  pause: async () => undefined,
};
beforeEach(() => {
  learned.length = 0;
  server.brevo.reset();
  server.brevo.settings.limits = 1_000;
});
const clientWith = (key: string) => createBrevo({ apiKey: () => key, baseUrl: server.apiUrl, budgets });
const client = () => clientWith(server.brevo.apiKey);

const done = <T>(value: T) => ({ kind: 'done', value });
const phone = '+34600111222';
const email = 'ada@example.com';
const ada = { identifiers: { email, phone }, attributes: { TIER: 'gold' }, listIds: [3] };
const at = () => new Date(server.brevo.now());
const event = (more: Partial<BrevoEvent> = {}): BrevoEvent => ({
  ...{ name: 'SUPPORT_RESOLVED', at: at(), identifiers: { email } },
  properties: { custody_id: 'c1', wait_seconds: 3, transferred: true },
  ...more,
});

test('the account, and another key', async () => {
  expect(await client().account()).toEqual(
    done({ company: expect.any(String), plans: expect.arrayContaining([expect.any(String)]) }),
  );
  expect(await clientWith('wrong').account()).toEqual({
    ...{ kind: 'pause', reason: 'key', status: 401, code: 'unauthorized' },
  });
});

test('attributes are listed, and created once', async () => {
  expect(await client().createAttribute('TIER', 'text')).toEqual(done(undefined));
  // Another process may have created it meanwhile.
  expect(await client().createAttribute('TIER', 'text')).toEqual(done(undefined));
  expect(server.brevo.requests.map(({ status }) => status)).toEqual([201, 400]);
  const found = await client().attributes();
  expect(found).toEqual(done(expect.arrayContaining([{ name: 'TIER', type: 'text' }])));
});

test('a contact is created, updated, read, emptied and removed', async () => {
  await client().createAttribute('TIER', 'text');
  expect(await client().putContact(ada)).toEqual(done({ id: 1 }));
  expect(await client().putContact(ada)).toEqual(done({}));
  expect(await client().contact({ phone })).toEqual(
    done({ id: 1, attributes: expect.objectContaining({ TIER: 'gold' }), listIds: [3] }),
  );
  const tierOf = async () => {
    const found = await client().contact({ contactId: 1 });
    return found.kind === 'done' ? found.value.attributes['TIER'] : found;
  };
  await client().putContact({ ...ada, attributes: { TIER: '' } });
  expect(await tierOf()).toBeUndefined();
  await client().putContact(ada);
  expect(await tierOf()).toBe('gold');
  expect(await client().forget(1, { attributes: ['TIER'], listIds: [3] })).toEqual(done(undefined));
  expect(await tierOf()).toBeUndefined();
  expect(server.brevo.contacts.all().map(({ listIds }) => [...listIds])).toEqual([[]]);
  expect(await client().forget(1, 'contact')).toEqual(done(undefined));
  expect(await client().contact({ contactId: 1 })).toEqual({ kind: 'missing' });
});

test.each([
  ['duplicate_parameter', true],
  ['invalid_parameter', true],
  ['duplicate_parameter', false],
] as const)('a collision as %s, with metadata: %s', async (code, withMetadata) => {
  Object.assign(server.brevo.settings, { collisionCode: code, collisionMetadata: withMetadata });
  await client().putContact(ada);
  const other = { identifiers: { email: 'bo@example.com', phone }, attributes: {}, listIds: [] };
  expect(await client().putContact(other)).toEqual({ kind: 'collision', identifiers: ['SMS'] });
  expect(await client().putContact(other, { merge: true })).toMatchObject({ kind: 'done' });
  expect(server.brevo.contacts.all()).toHaveLength(1);
});

test('an event, a batch with one that is refused, and what Brevo then has', async () => {
  await client().putContact(ada);
  expect(await client().sendEvent(event())).toEqual(done(undefined));
  const batch = [event({ properties: { custody_id: 'c2', transferred: true } }), event({ name: 'no name' })];
  expect(await client().sendEvents(batch)).toEqual(
    done({ refused: [{ index: 1, code: expect.any(String), message: expect.any(String) }] }),
  );
  const period = { from: new Date(at().getTime() - 60_000), to: new Date(at().getTime() + 60_000) };
  const found = await client().events({ name: 'SUPPORT_RESOLVED', ...period });
  if (found.kind !== 'done') throw new Error(found.kind);
  expect(found.value.isWhole).toBe(true);
  expect(found.value.events.map(({ properties }) => properties['custody_id']).sort()).toEqual(['c1', 'c2']);
  expect(found.value.events).toEqual(
    expect.arrayContaining([expect.objectContaining({ name: 'SUPPORT_RESOLVED', contactId: 1 })]),
  );
});

test('a list, and one that is not there', async () => {
  expect(await client().list(3)).toEqual(done({ name: 'Support contacts' }));
  expect(await client().list(99)).toEqual({ kind: 'missing' });
});

test('the limits that the answers state are learned by class', async () => {
  server.brevo.settings.limits = 1;
  await client().putContact(ada);
  await client().sendEvent(event());
  await client().account();
  expect(learned).toEqual([
    expect.objectContaining({ of: 'contacts', limit: 10, remaining: 9 }),
    expect.objectContaining({ of: 'events', limit: 10, remaining: 9 }),
    expect.objectContaining({ of: 'other', limit: 100, remaining: 99 }),
  ]);
});
