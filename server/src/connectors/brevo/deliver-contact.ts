import type { Alarms } from '../../alarms/alarms.ts';
import type { ContactTry } from '../crm.ts';
import type { TryOutcome } from '../effect-state.ts';
import type { DueCustomer, RemoteNames } from '../outbox-table.ts';
import type { AttributeNames } from './attribute-names.ts';
import type { Brevo, BrevoContact, BrevoIdentifiers } from './brevo-api.ts';
import { afterCollision, type CollisionPolicy, type IdentifierName, without } from './collisions.ts';
import type { Mapping, Totals } from './mapping.ts';
import { type BrevoPause, caught, tryOf } from './outcomes.ts';
import { droppedBefore, droppedName, hashOf, wantedContact } from './wanted-contact.ts';

export interface ContactDeps {
  brevo: Pick<Brevo, 'putContact' | 'contact'>;
  mapping: Pick<Mapping, 'contact' | 'needsBefore'>;
  attributes: AttributeNames;
  collisions: CollisionPolicy;
  alarms: Pick<Alarms, 'raise'>;
  onPause(pause: BrevoPause): Promise<void>;
}

/** Each collision leaves out an identifier or asks for a merge, and unknown attributes are asked for once. */
const mostRequests = 8;

const done: TryOutcome = { kind: 'done' };

/** What to do about a refusal that Brevo's own words may not explain. */
const whatsappAlone =
  'Brevo creates no contact by WHATSAPP alone: have field_mapping fill email, ext_id or SMS too, as `identity: ext_id` does, then run connector retry';
const isWhatsappAlone = ({ email, extId, phone, whatsapp }: BrevoIdentifiers): boolean =>
  whatsapp !== undefined && email === undefined && extId === undefined && phone === undefined;

/** Brings a customer's contact at Brevo up to date; asks nothing of Brevo where it has the same contact already. */
export async function deliverContact(
  deps: ContactDeps,
  customer: DueCustomer,
  totals: Totals | undefined,
  signal: AbortSignal,
): Promise<ContactTry> {
  const { attributes, brevo, mapping, onPause } = deps;
  // All of it was erased: the job that forgets does the rest.
  if (customer.interactions.length === 0 || !totals) return { outcome: done };
  let before: Readonly<Record<string, unknown>> | undefined;
  let remoteId = customer.remoteId;
  if (mapping.needsBefore) {
    const { identifiers } = wantedContact(mapping, customer.interactions, totals);
    const found = await caught(brevo.contact(keysOf(identifiers, customer), signal), signal);
    if (found.kind !== 'done' && found.kind !== 'missing') return { outcome: await tryOf(found, onPause) };
    before = found.kind === 'done' ? found.value.attributes : {};
    if (found.kind === 'done') remoteId = String(found.value.id);
  }
  const wanted = await attributes.fit(wantedContact(mapping, customer.interactions, totals, before), signal);
  if (!wanted) return { outcome: { kind: 'later' } };
  const sentHash = hashOf(wanted);
  const known = { sentHash, ...(remoteId && { remoteId }) };
  if (sentHash === customer.sentHash) return { outcome: done, ...known };
  const left = droppedBefore(wanted.identifiers, customer.remoteNames?.dropped);
  const first = without(wanted, left);
  if (Object.keys(first.identifiers).length === 0)
    return { outcome: { kind: 'dropped', why: 'no_identifier' } };
  const sent = await send(deps, first, signal);
  if (sent.outcome.kind !== 'done') return { outcome: sent.outcome };
  return {
    ...{ outcome: done, ...known },
    ...(sent.id !== undefined && { remoteId: String(sent.id) }),
    remoteNames: namesOf(customer.remoteNames, sent.contact, [
      ...left.map((name) => droppedName(name, wanted.identifiers)),
      ...sent.dropped.map((name) => droppedName(name, wanted.identifiers)),
    ]),
  };
}

/** The identifiers that Brevo can find the contact by. */
const keysOf = (identifiers: BrevoIdentifiers, { remoteId, remoteNames }: DueCustomer) =>
  remoteId
    ? { contactId: Number(remoteId) }
    : without({ identifiers, attributes: {}, listIds: [] }, droppedBefore(identifiers, remoteNames?.dropped))
        .identifiers;

/** Everything that we ever wrote: an erasure removes it. */
function namesOf(old: RemoteNames | undefined, sent: BrevoContact, dropped: readonly string[]): RemoteNames {
  const { extId, phone, whatsapp } = sent.identifiers;
  const ofIdentifiers = [
    ...(phone === undefined ? [] : ['SMS']),
    ...(whatsapp === undefined ? [] : ['WHATSAPP']),
    ...(extId === undefined ? [] : ['EXT_ID']),
  ];
  const all = (one: readonly string[] = [], more: readonly string[]) =>
    [...new Set([...one, ...more])].sort();
  return {
    attributes: all(old?.attributes, [...Object.keys(sent.attributes), ...ofIdentifiers]),
    lists: [...new Set([...(old?.lists ?? []), ...sent.listIds])].sort((a, b) => a - b),
    ...(dropped.length > 0 && { dropped }),
  };
}

interface SentContact {
  outcome: TryOutcome;
  contact: BrevoContact;
  dropped: readonly IdentifierName[];
  id?: number;
}

async function send(deps: ContactDeps, first: BrevoContact, signal: AbortSignal): Promise<SentContact> {
  const { alarms, attributes, brevo, collisions, onPause } = deps;
  let contact = first;
  let dropped: readonly IdentifierName[] = [];
  let merge = false;
  let isFitted = false;
  for (let request = 1; request <= mostRequests; request += 1) {
    const outcome = await caught(brevo.putContact(contact, { merge, signal }), signal);
    if (outcome.kind === 'collision') {
      const after = afterCollision(contact, outcome, collisions, merge);
      if (after.kind === 'dropped') return { outcome: after, contact, dropped };
      if (after.kind === 'report') {
        await alarms.raise('brevo_collision', undefined, outcome.identifiers.join(', ') || 'not named');
        return { outcome: await tryOf(outcome, onPause), contact, dropped };
      }
      dropped = [...dropped, ...after.dropped];
      contact = without(contact, after.dropped);
      merge = after.merge;
      continue;
    }
    if (outcome.kind === 'refused' && outcome.status === 400 && !isFitted) {
      isFitted = true;
      const fitted = await attributes.fit(contact, signal, true);
      if (fitted && Object.keys(fitted.attributes).length < Object.keys(contact.attributes).length) {
        contact = fitted;
        continue;
      }
    }
    const id = outcome.kind === 'done' ? outcome.value.id : undefined;
    if (outcome.kind === 'refused' && outcome.status === 400 && isWhatsappAlone(contact.identifiers)) {
      const message = [outcome.message, whatsappAlone].filter((text) => text !== '').join('; ');
      return { outcome: await tryOf({ ...outcome, message }, onPause), contact, dropped };
    }
    return { outcome: await tryOf(outcome, onPause), contact, dropped, ...(id !== undefined && { id }) };
  }
  return {
    outcome: { kind: 'refused', code: 'collision', message: 'collisions did not end' },
    contact,
    dropped,
  };
}
