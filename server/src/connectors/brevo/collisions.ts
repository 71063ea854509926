import type { BrevoContact, BrevoIdentifiers, BrevoOutcome } from './brevo-api.ts';

/** What to do where two contacts of Brevo would share an identifier. */
export const collisionPolicies = ['drop-identifier', 'merge', 'skip', 'report'] as const;
export type CollisionPolicy = (typeof collisionPolicies)[number];

export type Collision = Extract<BrevoOutcome<never>, { kind: 'collision' }>;
export type IdentifierName = keyof BrevoIdentifiers;

const names: Readonly<Record<Collision['identifiers'][number], IdentifierName | undefined>> = {
  email: 'email',
  ext_id: 'extId',
  SMS: 'phone',
  WHATSAPP: 'whatsapp',
  LANDLINE_NUMBER: undefined,
};

/**
 * In which they are left out where Brevo names none: Brevo creates no contact by WHATSAPP alone, and people share telephones more
 * often than addresses.
 */
const weakestFirst: readonly IdentifierName[] = ['whatsapp', 'phone', 'extId', 'email'];

export const without = (contact: BrevoContact, dropped: readonly IdentifierName[]): BrevoContact => ({
  ...contact,
  identifiers: Object.fromEntries(
    Object.entries(contact.identifiers).filter(([name]) => !dropped.includes(name as IdentifierName)),
  ),
});

/** By the order of {@link weakestFirst}. */
export const strongestOf = (identifiers: BrevoIdentifiers): IdentifierName | undefined =>
  weakestFirst.findLast((name) => identifiers[name] !== undefined);

export type AfterCollision =
  | { kind: 'send'; dropped: readonly IdentifierName[]; merge: boolean }
  | { kind: 'dropped'; why: 'collision' | 'no_identifier' }
  | { kind: 'report' };

/**
 * @param contact as it was sent
 * @param wasMerge whether merging was asked for: a collision then is one that merging does not end
 */
export function afterCollision(
  contact: BrevoContact,
  { identifiers }: Pick<Collision, 'identifiers'>,
  policy: CollisionPolicy,
  wasMerge = false,
): AfterCollision {
  if (policy === 'skip') return { kind: 'dropped', why: 'collision' };
  if (policy === 'report') return { kind: 'report' };
  if (policy === 'merge' && !wasMerge) return { kind: 'send', dropped: [], merge: true };
  const has = (name: IdentifierName | undefined): name is IdentifierName =>
    name !== undefined && contact.identifiers[name] !== undefined;
  const named = identifiers.map((name) => names[name]).filter(has);
  const dropped = named.length > 0 ? named : weakestFirst.filter(has).slice(0, 1);
  return Object.keys(without(contact, dropped).identifiers).length === 0
    ? { kind: 'dropped', why: 'no_identifier' }
    : { kind: 'send', dropped, merge: false };
}
