import type { FastifyInstance } from 'fastify';
import { type Body, bodyOf, choice, number, read, text } from '../controls-body.ts';
import { Refused } from '../refused.ts';
import { contactBody } from './contact-routes.ts';
import { eventBody } from './event-routes.ts';
import { type BrevoFault, brevoFaultKinds } from './faults.ts';
import { limitClasses } from './limits.ts';
import { type BrevoSettings, settingValues } from './settings.ts';
import type { Brevo } from './state.ts';
import { received } from './view.ts';

const shownContacts = 50;

/** `/sandbox/brevo`: what the double has received, how it behaves, and what goes wrong next. */
export function brevoControls(app: FastifyInstance, brevo: Brevo): void {
  const state = () => ({
    settings: brevo.settings,
    faults: brevo.faults.list(),
    attributes: brevo.attributes.list(),
    lists: brevo.lists.all(),
    counts: {
      contacts: brevo.contacts.all().length,
      events: brevo.events.all().length,
      droppedEvents: brevo.droppedEvents,
      requests: brevo.requestCount,
      earned429: brevo.earned429,
      byClass: Object.fromEntries(
        limitClasses.map((name) => [name, brevo.requests.filter((one) => one.class === name).length]),
      ),
    },
  });

  app.get('/sandbox/brevo', async () => state());
  app.post('/sandbox/brevo', async (request) => {
    const body = bodyOf(request.body);
    const { faults, attributes, lists, ...settings } = body;
    const changed = settingsIn(settings);
    const made = listIn(faults, 'faults').map(faultIn);
    Object.assign(brevo.settings, changed);
    for (const fault of made) brevo.faults.add(fault);
    for (const one of listIn(attributes, 'attributes'))
      brevo.attributes.create({
        name: text(one, 'name') ?? '',
        category: 'normal',
        type: text(one, 'type') ?? 'text',
      });
    for (const one of listIn(lists, 'lists')) brevo.lists.create(text(one, 'name') ?? 'List');
    return state();
  });
  /** Forgets everything; with `faults`, the faults alone. */
  app.delete('/sandbox/brevo', async () => {
    brevo.reset();
    return state();
  });
  app.delete('/sandbox/brevo/faults', async () => {
    brevo.faults.clear();
    return state();
  });
  /** For people: the newest contacts, their identifiers shortened. */
  app.get('/sandbox/brevo/received', async () => ({
    contacts: received(brevo, shownContacts),
    total: { contacts: brevo.contacts.all().length, events: brevo.events.all().length },
  }));
  /** For tests: everything, as Brevo's API would show it. */
  app.get('/sandbox/brevo/contacts', async () => ({ contacts: brevo.contacts.all().map(contactBody) }));
  app.get('/sandbox/brevo/events', async () => ({ events: brevo.events.all().map(eventBody) }));
  app.get('/sandbox/brevo/requests', async () => ({ requests: brevo.requests.slice(-1_000) }));
}

function settingsIn(body: Body): Partial<BrevoSettings> {
  const found: Record<string, unknown> = {};
  for (const name of Object.keys(body)) {
    const values = Object.hasOwn(settingValues, name)
      ? settingValues[name as keyof BrevoSettings]
      : undefined;
    if (!values) throw new Refused(`"${name}" is none of ${Object.keys(settingValues).join(', ')}`);
    if ('least' in values) found[name] = number(body, name, 0, values.least, values.most);
    else if (!values.some((one) => one === body[name]))
      throw new Refused(`"${name}" must be one of ${values.join(', ')}`);
    else found[name] = body[name];
  }
  return found;
}

function listIn(value: unknown, name: string): Body[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Refused(`"${name}" must be a list`);
  return value.map(bodyOf);
}

function faultIn(body: Body): BrevoFault {
  if (body['kind'] === undefined) throw new Refused(`"kind" (${brevoFaultKinds.join(', ')}) is needed`);
  const whole = (name: string, fallback: number, least: number, most: number) =>
    Math.floor(number(body, name, fallback, least, most));
  return {
    kind: choice(body, 'kind', 'status', brevoFaultKinds),
    status: whole('status', 503, 400, 599),
    times: whole('times', 1, 0, 1_000_000),
    every: whole('every', 1, 1, 1_000_000),
    match: read(body, 'match', '', (value) => typeof value === 'string', 'text'),
  };
}
