import type { Brevo, BrevoContact, BrevoEvent, BrevoOutcome } from '../brevo/brevo-api.ts';

type Name =
  | 'putContact'
  | 'contact'
  | 'sendEvent'
  | 'sendEvents'
  | 'events'
  | 'attributes'
  | 'createAttribute'
  | 'account'
  | 'forget';
type Answer = BrevoOutcome<never> | { kind: 'takenButUnknown' };

export interface FakeBrevo extends Brevo {
  contacts: Map<number, BrevoContact>;
  received: { event: BrevoEvent; contact: number | undefined }[];
  /** In their order; of a contact with its identifiers, of an event with its name. */
  calls: { name: Name; of: unknown }[];
  /** Answers the next calls of this name, one each. */
  next(name: Name, ...answers: Answer[]): void;
  /** Answers all calls of this name until it is called without an answer. */
  always(name: Name, answer?: Answer): void;
  names: Set<string>;
  /** Awaited before a call is taken. */
  before?: (name: Name) => Promise<void> | undefined;
}

/** Brevo in memory, as `brevo-api.ts` has it. */
export function fakeBrevo(): FakeBrevo {
  const queues = new Map<Name, Answer[]>();
  const constant = new Map<Name, Answer>();
  const isSame = (a: BrevoContact['identifiers'], b: BrevoContact['identifiers']) =>
    (['email', 'extId', 'phone', 'whatsapp'] as const).some(
      (name) => a[name] !== undefined && a[name] === b[name],
    );
  const idOf = (identifiers: BrevoContact['identifiers'] & { contactId?: number }) =>
    identifiers.contactId ?? [...fake.contacts].find(([, one]) => isSame(one.identifiers, identifiers))?.[0];
  const call = async <T>(name: Name, of: unknown, take: () => BrevoOutcome<T>): Promise<BrevoOutcome<T>> => {
    fake.calls.push({ name, of });
    await fake.before?.(name);
    const answer = queues.get(name)?.shift() ?? constant.get(name);
    if (!answer) return take();
    if (answer.kind !== 'takenButUnknown') return answer;
    take();
    return { kind: 'unknown' };
  };
  const receive = (event: BrevoEvent) => fake.received.push({ event, contact: idOf(event.identifiers) });
  const done = { kind: 'done', value: undefined } as const;
  const fake: FakeBrevo = {
    contacts: new Map(),
    received: [],
    calls: [],
    names: new Set(['FIRSTNAME', 'TOTAL']),
    next: (name, ...answers) => void queues.set(name, [...(queues.get(name) ?? []), ...answers]),
    always: (name, answer) => void (answer ? constant.set(name, answer) : constant.delete(name)),
    putContact: (contact) =>
      call('putContact', contact.identifiers, () => {
        const known = idOf(contact.identifiers);
        const id = known ?? fake.contacts.size + 1;
        const old = fake.contacts.get(id);
        fake.contacts.set(id, {
          identifiers: { ...old?.identifiers, ...contact.identifiers },
          attributes: { ...old?.attributes, ...contact.attributes },
          listIds: [...new Set([...(old?.listIds ?? []), ...contact.listIds])],
        });
        return { kind: 'done', value: known ? {} : { id } };
      }),
    contact: (identifiers) =>
      call('contact', identifiers, () => {
        const id = idOf(identifiers);
        const found = id === undefined ? undefined : fake.contacts.get(id);
        return found && id !== undefined
          ? { kind: 'done', value: { id, attributes: found.attributes, listIds: found.listIds } }
          : { kind: 'missing' };
      }),
    forget: (contactId, what) => call('forget', { contactId, what }, () => done),
    sendEvent: (event) =>
      call('sendEvent', event.name, () => {
        receive(event);
        return done;
      }),
    sendEvents: (events) =>
      call('sendEvents', events.length, () => {
        const refused = events.flatMap(({ name }, index) =>
          name === 'REFUSED' ? [{ index, code: 'invalid_parameter', message: 'event_name' }] : [],
        );
        for (const [index, event] of events.entries())
          if (!refused.some((one) => one.index === index)) receive(event);
        return { kind: 'done', value: { refused } };
      }),
    events: (of) =>
      call('events', of, () => {
        const found = fake.received.filter(
          ({ event }) => event.name === of.name && event.at >= of.from && event.at <= of.to,
        );
        const events = found.map(({ event: { at, name, properties } }) => ({ at, name, properties }));
        return { kind: 'done', value: { events, isWhole: true } };
      }),
    attributes: () =>
      call('attributes', undefined, () => ({
        kind: 'done',
        value: [...fake.names].map((name) => ({ name, type: 'text' })),
      })),
    createAttribute: (name, type) =>
      call('createAttribute', { name, type }, () => {
        fake.names.add(name);
        return done;
      }),
    list: async () => ({ kind: 'done', value: { name: 'all' } }),
    account: () =>
      call('account', undefined, () => ({ kind: 'done', value: { company: 'ACME', plans: [] } })),
  };
  return fake;
}
