import { invalid } from './refusal.ts';

/** What identifies a contact beside its number, as Brevo names it in collisions; each is unique. The first given one counts most. */
export const identifierKinds = ['email', 'ext_id', 'SMS', 'WHATSAPP', 'LANDLINE_NUMBER'] as const;
export type IdentifierKind = (typeof identifierKinds)[number];
export type Identifiers = Map<IdentifierKind, string>;

/** Names in paths' `identifierType` and in the `identifiers` of events; `contact_id` is the contact's number. */
export const identifierTypes: Readonly<Record<string, IdentifierKind>> = {
  email_id: 'email',
  ext_id: 'ext_id',
  phone_id: 'SMS',
  whatsapp_id: 'WHATSAPP',
  landline_number_id: 'LANDLINE_NUMBER',
};

/** Attributes that are identifiers. */
export const identifierAttributes: Readonly<Record<string, IdentifierKind>> = {
  EMAIL: 'email',
  EXT_ID: 'ext_id',
  SMS: 'SMS',
  WHATSAPP: 'WHATSAPP',
  LANDLINE_NUMBER: 'LANDLINE_NUMBER',
};

/** As Brevo keeps it: addresses in small letters, numbers as digits. @throws BrevoRefusal 400 */
export function normalIdentifier(kind: IdentifierKind, value: unknown): string {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') throw invalid(`${kind} is not valid`);
  if (kind === 'ext_id') return text;
  if (kind === 'email') {
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text)) throw invalid('email is not valid in contact');
    return text.toLowerCase();
  }
  const digits = /^(?:\+|00)?([1-9]\d{5,14})$/.exec(text)?.[1];
  if (digits === undefined) throw invalid('Invalid phone number');
  return digits;
}
