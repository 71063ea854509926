import type { Channel, Interaction } from '../interaction.ts';
import { emailOf, extIdOf, phoneOf } from './address.ts';
import type { BrevoIdentifiers } from './brevo-api.ts';
import type { FieldRule, Identifier } from './config/field-mapping.ts';
import type { Transform } from './config/transforms.ts';
import type { Result } from './transform.ts';

/** The strongest first: the customer is known by it. */
const strength = ['email', 'extId', 'phone', 'whatsapp'] as const satisfies readonly Identifier[];

/**
 * What the address of a customer is, by its channel: a number is no ext_id. A number of WhatsApp is a telephone's too: Brevo creates
 * no contact by WHATSAPP alone, and who calls and who writes from one number is one customer.
 */
const ofAddress: Readonly<Record<Channel, readonly Identifier[]>> = {
  voice: ['phone'],
  sms: ['phone'],
  whatsapp: ['phone', 'whatsapp'],
  webchat: ['extId'],
  other: [],
};

const why: Readonly<Record<Identifier, string>> = {
  email: 'is no e-mail address',
  extId: 'is no id of 1 to 255 characters',
  phone: 'is no telephone number in E.164, or was withheld',
  whatsapp: 'is no telephone number in E.164, or was withheld',
};

/**
 * Which identifiers a rule fills with its value; `why` continues a sentence that begins with the source. The address (`identity`)
 * with the target `ext_id` fills those of its channel.
 */
export function identified(
  { source, target, transforms }: FieldRule,
  result: Result,
  { channel }: Pick<Interaction, 'channel'>,
): { identifiers: readonly Identifier[]; value: string } | { why: string } {
  if (!('identifier' in target)) throw new TypeError('the rule has no identifier');
  const { identifier } = target;
  let filled: readonly Identifier[] = [identifier];
  if (source.kind === 'computed' && identifier !== 'email') {
    const own = ofAddress[channel];
    filled = identifier === 'extId' ? own : own.filter((one) => one === identifier);
    if (filled.length === 0)
      return {
        why: `is no ${identifier === 'whatsapp' ? 'WHATSAPP' : 'SMS'} number in the channel ${channel}`,
      };
  }
  if ('why' in result) return result;
  const text = String(result.value);
  // A channel's identifiers are all numbers, or one id.
  const [kind = identifier] = filled;
  const value = checked(kind, text, transforms);
  return value === undefined ? { why: why[kind] } : { identifiers: filled, value };
}

function checked(identifier: Identifier, text: string, transforms: readonly Transform[]): string | undefined {
  switch (identifier) {
    case 'email':
      return emailOf(text);
    case 'extId':
      return extIdOf(text);
    case 'phone':
    case 'whatsapp': {
      const e164 = transforms.find((one) => one.kind === 'e164');
      return phoneOf(text, e164?.country);
    }
  }
}

/** By which a customer is one and the same; undefined without an identifier. */
export function keyOf(identifiers: BrevoIdentifiers): string | undefined {
  const kind = strength.find((one) => identifiers[one] !== undefined);
  return kind && `${kind}:${identifiers[kind]}`;
}
