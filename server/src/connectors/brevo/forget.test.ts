import { fakeBrevo } from '../testing/fake-brevo.ts';
import { type ForgetDeps, forgetCustomers, type ToForget } from './forget.ts';

const remoteNames = { attributes: ['FIRSTNAME', 'SMS'], lists: [7] };

function rig(customers: ToForget[], over: Partial<ForgetDeps> = {}) {
  const brevo = fakeBrevo();
  const forgotten: number[] = [];
  const alarms: string[] = [];
  const said: string[] = [];
  let waiting = customers;
  const deps: ForgetDeps = {
    ...{ brevo, erase: 'attributes' },
    async claim() {
      const all = waiting;
      waiting = [];
      return all;
    },
    forgotten: async (id) => void forgotten.push(id),
    onPause: async ({ reason }) => void alarms.push(reason),
    isPaused: async () => false,
    alarms: {
      raise: async (code, _, detail) => void alarms.push(`${code}: ${detail}`),
      resolve: async (codes) => void alarms.push(...codes.map((code) => `${code} resolved`)),
    },
    log: { info: (_, message) => void said.push(message) },
    ...over,
  };
  const run = () => forgetCustomers(deps, new AbortController().signal);
  return { alarms, brevo, forgotten, run, said };
}

test('attributes and lists that we wrote are removed, and the log says that single events stay', async () => {
  const { alarms, brevo, forgotten, run, said } = rig([
    { id: 1, identifiers: {}, remoteId: '12', remoteNames },
  ]);
  await run();
  expect(brevo.calls).toEqual([
    { name: 'forget', of: { contactId: 12, what: { attributes: ['FIRSTNAME', 'SMS'], listIds: [7] } } },
  ]);
  expect(forgotten).toEqual([1]);
  expect(said).toEqual([expect.stringContaining('single events cannot be removed')]);
  expect(alarms).toEqual(['brevo_not_forgotten resolved']);
});

test('the whole contact is removed where the setting says so', async () => {
  const { brevo, run } = rig([{ id: 1, identifiers: {}, remoteId: '12', remoteNames }], { erase: 'contact' });
  await run();
  expect(brevo.calls).toEqual([{ name: 'forget', of: { contactId: 12, what: 'contact' } }]);
});

test('without its number the contact is looked up; one that Brevo lacks, or never had, is forgotten', async () => {
  const phone = { phone: '+34600000001' };
  const { brevo, forgotten, run } = rig([
    { id: 1, identifiers: phone, remoteNames },
    { id: 2, identifiers: { phone: '+34600000002' }, remoteNames },
    { id: 3, identifiers: phone },
  ]);
  brevo.contacts.set(5, { identifiers: phone, attributes: {}, listIds: [] });
  await run();
  expect(brevo.calls.map(({ name }) => name)).toEqual(['contact', 'forget', 'contact']);
  expect(brevo.calls[1]?.of).toMatchObject({ contactId: 5 });
  expect(forgotten).toEqual([1, 2, 3]);
});

test('what Brevo does not take now stays, a refusal raises an alarm, and a pause ends the run', async () => {
  const customers = [1, 2, 3, 4].map((id) => ({ id, identifiers: {}, remoteId: String(id), remoteNames }));
  const { alarms, brevo, forgotten, run } = rig(customers);
  brevo.next('forget', { kind: 'later' }, { kind: 'refused', status: 400, code: 'invalid', message: '' });
  brevo.next('forget', { kind: 'pause', reason: 'key', status: 401 });
  await run();
  expect(forgotten).toEqual([]);
  expect(alarms).toEqual(['brevo_not_forgotten: customer 2: invalid', 'key']);
  expect(brevo.calls).toHaveLength(3);
});
