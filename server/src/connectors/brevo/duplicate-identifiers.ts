import type { BrevoOutcome } from './brevo-api.ts';

export type BrevoIdentifierName = Extract<BrevoOutcome<never>, { kind: 'collision' }>['identifiers'][number];

const names: Readonly<Record<string, BrevoIdentifierName>> = {
  email: 'email',
  email_id: 'email',
  ext_id: 'ext_id',
  sms: 'SMS',
  phone: 'SMS',
  phone_id: 'SMS',
  whatsapp: 'WHATSAPP',
  whatsapp_id: 'WHATSAPP',
  landline_number: 'LANDLINE_NUMBER',
  landline_number_id: 'LANDLINE_NUMBER',
};
const saysTaken = /already (?:associated|exists?|in use|taken)|duplicate/i;

const known = (values: readonly unknown[]): BrevoIdentifierName[] => {
  const found = values.flatMap((value) => {
    const name = typeof value === 'string' ? value.toLowerCase() : '';
    return Object.hasOwn(names, name) ? [names[name] as BrevoIdentifierName] : [];
  });
  return [...new Set(found)];
};

/**
 * The identifiers that another contact has, as Brevo names them in `metadata.duplicate_identifiers` or in its message; undefined
 * for an answer that is about something else. Brevo's code may be `duplicate_parameter` or `invalid_parameter`.
 */
export function duplicateIdentifiers(
  body: Readonly<Record<string, unknown>>,
): readonly BrevoIdentifierName[] | undefined {
  const { code, message, metadata } = body;
  const listed =
    typeof metadata === 'object' && metadata !== null
      ? (metadata as Record<string, unknown>)['duplicate_identifiers']
      : undefined;
  if (Array.isArray(listed) && listed.length > 0) return known(listed);
  const text = typeof message === 'string' ? message : '';
  if (code !== 'duplicate_parameter' && !(code === 'invalid_parameter' && saysTaken.test(text)))
    return undefined;
  const [before = ''] = text.split(saysTaken);
  return known(before.split(/[^A-Za-z_]+/));
}
