import type { AttributeValue } from './attributes.ts';
import { type IdentifierKind, type Identifiers, identifierKinds } from './identifiers.ts';
import { BrevoRefusal, missing } from './refusal.ts';
import type { BrevoSettings } from './settings.ts';

export interface BrevoContact {
  id: number;
  identifiers: Identifiers;
  /** Without identifiers. */
  attributes: Map<string, AttributeValue>;
  listIds: Set<number>;
  emailBlacklisted: boolean;
  smsBlacklisted: boolean;
  createdAt: number;
  modifiedAt: number;
}

/** What a request wants a contact to be; its values were checked. An empty text empties an attribute or identifier. */
export interface WantedContact {
  identifiers: Identifiers;
  attributes: ReadonlyMap<string, AttributeValue>;
  listIds: readonly number[];
  unlinkListIds: readonly number[];
  blacklists: Partial<Pick<BrevoContact, 'emailBlacklisted' | 'smsBlacklisted'>>;
}

export interface Contacts {
  all(): readonly BrevoContact[];
  byId(id: number): BrevoContact | undefined;
  by(kind: IdentifierKind, value: string): BrevoContact | undefined;
  /** `POST /contacts`. @throws BrevoRefusal 400 where it exists, or identifiers are others' */
  put(
    wanted: WantedContact,
    how: { updateEnabled: boolean; forceMerge: boolean },
  ): { contact: BrevoContact; did: 'created' | 'updated' | 'merged' };
  /** @throws BrevoRefusal 400 where identifiers are others' */
  update(contact: BrevoContact, wanted: WantedContact, forceMerge: boolean): BrevoContact;
  remove(contact: BrevoContact): void;
  clear(): void;
}

/** Identifiers by which Brevo says that it makes a contact. */
const documented: readonly IdentifierKind[] = ['email', 'ext_id', 'SMS'];

/** @param onMerged gets the number of the contact that was kept and of the one that was not */
export function createContacts(
  settings: BrevoSettings,
  now: () => number,
  onMerged: (kept: number, gone: number) => void,
): Contacts {
  const contacts = new Map<number, BrevoContact>();
  const owners = new Map<string, BrevoContact>();
  let last = 0;
  let collisions = 0;
  const keyOf = (kind: IdentifierKind, value: string) => `${kind} ${value}`;
  const by = (kind: IdentifierKind, value: string) => owners.get(keyOf(kind, value));
  const given = (wanted: WantedContact) =>
    identifierKinds.flatMap((kind) => {
      const value = wanted.identifiers.get(kind);
      return value === undefined || value === '' ? [] : [{ kind, value, owner: by(kind, value) }];
    });

  const collision = (kinds: readonly IdentifierKind[], message: string) => {
    collisions += 1;
    const code =
      settings.collisionCode === 'both'
        ? collisions % 2 === 0
          ? 'invalid_parameter'
          : 'duplicate_parameter'
        : settings.collisionCode;
    const metadata = settings.collisionMetadata ? { duplicate_identifiers: kinds } : undefined;
    return new BrevoRefusal(400, code, message, metadata);
  };
  const taken = (kinds: readonly IdentifierKind[], doing: 'create' | 'update') =>
    collision(
      kinds,
      `Unable to ${doing} contact, ${kinds.join(', ')} ${kinds.length > 1 ? 'are' : 'is'} already associated with another Contact`,
    );

  const release = (contact: BrevoContact, kind: IdentifierKind) => {
    const value = contact.identifiers.get(kind);
    if (value === undefined) return;
    owners.delete(keyOf(kind, value));
    contact.identifiers.delete(kind);
  };
  const remove = (contact: BrevoContact) => {
    for (const kind of [...contact.identifiers.keys()]) release(contact, kind);
    contacts.delete(contact.id);
  };
  const apply = (contact: BrevoContact, wanted: WantedContact) => {
    for (const [kind, value] of wanted.identifiers) {
      release(contact, kind);
      if (value === '') continue;
      contact.identifiers.set(kind, value);
      owners.set(keyOf(kind, value), contact);
    }
    for (const [name, value] of wanted.attributes) {
      if (value === '') contact.attributes.delete(name);
      else contact.attributes.set(name, value);
    }
    for (const id of wanted.listIds) contact.listIds.add(id);
    for (const id of wanted.unlinkListIds) contact.listIds.delete(id);
    Object.assign(contact, wanted.blacklists, { modifiedAt: now() });
    return contact;
  };
  /** The contact that was changed last is kept, with all that the others have and it has not. */
  const merge = (all: readonly BrevoContact[]): BrevoContact => {
    const [kept, ...gone] = [...all].sort((a, b) => b.modifiedAt - a.modifiedAt || b.id - a.id);
    if (!kept) throw new Error('nothing to merge');
    for (const other of gone) {
      const { identifiers, attributes, listIds, id } = other;
      const [hisIdentifiers, hisAttributes] = [new Map(identifiers), new Map(attributes)];
      remove(other);
      apply(kept, {
        identifiers: new Map([...hisIdentifiers].filter(([kind]) => !kept.identifiers.has(kind))),
        attributes: new Map([...hisAttributes].filter(([name]) => !kept.attributes.has(name))),
        listIds: [...listIds],
        unlinkListIds: [],
        blacklists: {},
      });
      onMerged(kept.id, id);
    }
    return kept;
  };
  const update: Contacts['update'] = (contact, wanted, forceMerge) => {
    const others = given(wanted).filter(({ owner }) => owner !== undefined && owner !== contact);
    if (others.length === 0) return apply(contact, wanted);
    if (!forceMerge)
      throw taken(
        others.map(({ kind }) => kind),
        'update',
      );
    return apply(merge([contact, ...new Set(others.flatMap(({ owner }) => owner ?? []))]), wanted);
  };

  return {
    all: () => [...contacts.values()],
    byId: (id) => contacts.get(id),
    by,
    put(wanted, { updateEnabled, forceMerge }) {
      const identifiers = given(wanted);
      const creating = settings.creates === 'any' ? identifierKinds : documented;
      if (!identifiers.some(({ kind }) => creating.includes(kind)))
        throw missing('One of email, ext_id or the attribute SMS is required');
      const owned = identifiers.filter(({ owner }) => owner !== undefined);
      const found = settings.identify === 'any' ? owned[0]?.owner : identifiers[0]?.owner;
      if (found && !updateEnabled && !forceMerge)
        throw collision(
          owned.map(({ kind }) => kind),
          'Contact already exist',
        );
      if (found) {
        const before = contacts.size;
        const contact = update(found, wanted, forceMerge);
        return { contact, did: contacts.size < before ? 'merged' : 'updated' };
      }
      if (owned.length > 0 && !forceMerge)
        throw taken(
          owned.map(({ kind }) => kind),
          'create',
        );
      if (owned.length > 0)
        return {
          contact: apply(merge([...new Set(owned.flatMap(({ owner }) => owner ?? []))]), wanted),
          did: 'merged',
        };
      last += 1;
      const contact: BrevoContact = {
        id: last,
        identifiers: new Map(),
        attributes: new Map(),
        listIds: new Set(),
        emailBlacklisted: false,
        smsBlacklisted: false,
        createdAt: now(),
        modifiedAt: now(),
      };
      contacts.set(last, contact);
      return { contact: apply(contact, wanted), did: 'created' };
    },
    update,
    remove,
    clear() {
      contacts.clear();
      owners.clear();
      last = 0;
      collisions = 0;
    },
  };
}
