import type { ConnectorCheck, Verdict } from '../check.ts';
import { fix, note, ok } from '../check.ts';
import type { Brevo, BrevoOutcome } from './brevo-api.ts';
import { remedyOf } from './remedies.ts';

/** What of the connector's file the checks of Brevo need. */
export interface Wanted {
  /** Attributes that the mapping writes, by their upper-case names. */
  attributes: readonly { name: string; type: 'text' | 'date' | 'float' | 'boolean' }[];
  lists: Readonly<Record<string, number | undefined>>;
}

export interface BrevoCheckDeps {
  brevo: Brevo;
  /** Undefined where no key is set. */
  hasKey: boolean;
  wanted: Wanted;
  /** Creates attributes that are missing. */
  createAttributes: boolean;
  /** Sends a marked event. */
  sendEvent: boolean;
  /** The account as it was last read, at most an hour ago: Brevo allows 100 such requests an hour. */
  kept: {
    account(): Promise<string | undefined>;
    keepAccount(account: string): Promise<void>;
  };
}

/** The contact and the event of `--send-event`. */
export const testContact = 'flex-custody-test';
export const testEvent = 'FLEX_CUSTODY_TEST';

/** The checks of Brevo's side, in the order in which they make sense. */
export function brevoChecks(deps: BrevoCheckDeps): ConnectorCheck[] {
  return [
    { name: 'brevo-account', look: (signal) => account(deps, signal) },
    { name: 'brevo-attributes', look: (signal) => attributes(deps, signal) },
    { name: 'brevo-lists', look: (signal) => lists(deps, signal) },
    ...(deps.sendEvent ? [{ name: 'brevo-event', look: (signal: AbortSignal) => marked(deps, signal) }] : []),
  ];
}

async function account({ brevo, kept, hasKey }: BrevoCheckDeps, signal: AbortSignal): Promise<Verdict> {
  if (!hasKey) return fix('there is no API key of Brevo', 'flex-custody secrets set CUSTODY_BREVO_API_KEY');
  const before = await kept.account();
  if (before !== undefined) return ok(`${before} (read within the last hour)`);
  const outcome = await brevo.account(signal);
  if (outcome.kind !== 'done') return remedyOf(outcome);
  const { company, plans } = outcome.value;
  const text = plans.length > 0 ? `${company}, ${plans.join(', ')}` : company;
  await kept.keepAccount(text);
  return ok(text);
}

async function attributes(
  { brevo, wanted, createAttributes }: BrevoCheckDeps,
  signal: AbortSignal,
): Promise<Verdict> {
  const outcome = await brevo.attributes(signal);
  if (outcome.kind !== 'done') return remedyOf(outcome);
  const there = new Set(outcome.value.map(({ name }) => name));
  const missing = wanted.attributes.filter(({ name }) => !there.has(name));
  if (missing.length === 0) return ok(`all ${wanted.attributes.length} that the mapping writes are there`);
  const names = missing.map(({ name }) => name).join(', ');
  if (!createAttributes)
    return fix(
      `Brevo has no ${names}`,
      'flex-custody connector test brevo --create-attributes, or create them at Brevo (Contacts, Settings, Contact attributes)',
    );
  for (const { name, type } of missing) {
    const made = await brevo.createAttribute(name, type, signal);
    if (made.kind !== 'done') return aboutOne(name, made);
  }
  return ok(`created ${names}`);
}

async function lists({ brevo, wanted }: BrevoCheckDeps, signal: AbortSignal): Promise<Verdict> {
  const named = Object.entries(wanted.lists).flatMap(([key, id]) => (id === undefined ? [] : [{ key, id }]));
  if (named.length === 0)
    return note('none is set', 'lists.support_contacts in the file adds customers to one');
  const found: string[] = [];
  for (const { key, id } of named) {
    const outcome = await brevo.list(id, signal);
    if (outcome.kind === 'missing')
      return fix(
        `Brevo has no list ${id} (lists.${key})`,
        'take the number at Brevo: Contacts, Lists, the # beside the name',
      );
    if (outcome.kind !== 'done') return remedyOf(outcome);
    found.push(`${key}: ${outcome.value.name}`);
  }
  return ok(found.join('; '));
}

/** A contact of its own first: whether an event makes one is not documented. */
async function marked({ brevo }: BrevoCheckDeps, signal: AbortSignal): Promise<Verdict> {
  const identifiers = { extId: testContact };
  const contact = await brevo.putContact({ identifiers, attributes: {}, listIds: [] }, { signal });
  if (contact.kind !== 'done') return aboutOne(`the contact ${testContact}`, contact);
  const event = await brevo.sendEvent(
    { name: testEvent, at: new Date(), identifiers, properties: { test: 'true' } },
    signal,
  );
  if (event.kind !== 'done') return aboutOne(`the event ${testEvent}`, event);
  return note(
    `${testEvent} was sent to the contact with ext_id ${testContact}`,
    'see it at Brevo, Contacts, that contact, Events; remove the contact there',
  );
}

function aboutOne(what: string, outcome: Exclude<BrevoOutcome<unknown>, { kind: 'done' }>): Verdict {
  const verdict = remedyOf(outcome);
  return { ...verdict, detail: `${what}: ${verdict.detail}` };
}
