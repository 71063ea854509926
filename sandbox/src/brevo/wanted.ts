import type { Attributes, AttributeValue } from './attributes.ts';
import type { WantedContact } from './contacts.ts';
import { type IdentifierKind, identifierAttributes, normalIdentifier } from './identifiers.ts';
import type { Lists } from './lists.ts';
import { invalid } from './refusal.ts';

export type Json = Readonly<Record<string, unknown>>;
export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws BrevoRefusal 400 for a body that is no object */
export function objectOf(body: unknown): Json {
  if (!isObject(body)) throw invalid('Invalid JSON object in request body');
  return body;
}

/** Reads what a request says of a contact. @throws BrevoRefusal 400 */
export function wantedContact(body: Json, deps: { attributes: Attributes; lists: Lists }): WantedContact {
  const identifiers = new Map<IdentifierKind, string>();
  const attributes = new Map<string, AttributeValue>();
  const identify = (kind: IdentifierKind, value: unknown) =>
    identifiers.set(kind, value === '' ? '' : normalIdentifier(kind, value));
  if (body['email'] !== undefined) identify('email', body['email']);
  if (body['ext_id'] !== undefined) identify('ext_id', body['ext_id']);
  if (body['attributes'] !== undefined && !isObject(body['attributes']))
    throw invalid('attributes is not valid');
  for (const [name, value] of Object.entries((body['attributes'] ?? {}) as Json)) {
    const kind = identifierAttributes[name];
    if (kind !== undefined) {
      identify(kind, value);
      continue;
    }
    const kept = deps.attributes.kept(name, value);
    if (kept !== undefined) attributes.set(name, kept);
  }
  return {
    identifiers,
    attributes,
    listIds: deps.lists.known(body['listIds']),
    unlinkListIds: deps.lists.known(body['unlinkListIds']),
    blacklists: {
      ...flagOf(body, 'emailBlacklisted'),
      ...flagOf(body, 'smsBlacklisted'),
    },
  };
}

function flagOf(body: Json, name: 'emailBlacklisted' | 'smsBlacklisted') {
  const value = body[name];
  if (value === undefined) return {};
  if (typeof value !== 'boolean') throw invalid(`${name} must be true or false`);
  return { [name]: value };
}
