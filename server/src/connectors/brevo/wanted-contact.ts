import { createHash } from 'node:crypto';
import type { Interaction } from '../interaction.ts';
import type { BrevoContact, BrevoIdentifiers, BrevoValue } from './brevo-api.ts';
import type { IdentifierName } from './collisions.ts';
import type { Mapping, Totals } from './mapping.ts';

/**
 * One contact of all interactions of a customer: the newest value of each attribute and identifier, and every list. What a rule
 * never overwrites is that of the oldest interaction.
 * @param interactions the oldest first
 * @param before what Brevo has; undefined where that is not known
 */
export function wantedContact(
  mapping: Pick<Mapping, 'contact'>,
  interactions: readonly Interaction[],
  totals: Totals,
  before?: Readonly<Record<string, unknown>>,
): BrevoContact {
  let identifiers: BrevoIdentifiers = {};
  let attributes: Record<string, BrevoValue> = {};
  const lists = new Set<number>();
  for (const interaction of interactions) {
    const known = before && { ...before, ...attributes };
    const one = mapping.contact(interaction, totals, known);
    identifiers = { ...identifiers, ...one.identifiers };
    attributes = { ...attributes, ...one.attributes };
    for (const list of one.listIds) lists.add(list);
  }
  return { identifiers, attributes, listIds: [...lists].sort((a, b) => a - b) };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** The same for contacts that Brevo would keep in the same way. */
export const hashOf = ({ identifiers, attributes, listIds }: BrevoContact): string =>
  sha256(JSON.stringify([sorted(identifiers), sorted(attributes), listIds]));

const sorted = (of: object) => Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1));

/** Names an identifier that was left out, with its value, so that another value is tried again. */
export const droppedName = (name: IdentifierName, identifiers: BrevoIdentifiers): string =>
  `${name}:${sha256(identifiers[name] ?? '').slice(0, 16)}`;

/** Which of the identifiers were left out before. */
export const droppedBefore = (
  identifiers: BrevoIdentifiers,
  dropped: readonly string[] = [],
): IdentifierName[] =>
  (Object.keys(identifiers) as IdentifierName[]).filter((name) =>
    dropped.includes(droppedName(name, identifiers)),
  );
