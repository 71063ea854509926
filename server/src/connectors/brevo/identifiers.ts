import type { Channel, Interaction } from '../interaction.ts';
import { emailOf, extIdOf, phoneOf } from './address.ts';
import type { BrevoIdentifiers } from './brevo-api.ts';
import type { FieldRule, Identifier } from './config/field-mapping.ts';
import type { Transform } from './config/transforms.ts';
import type { Result } from './transform.ts';

/** The strongest first: the customer is known by it. */
const strength = ['email', 'extId', 'phone', 'whatsapp'] as const satisfies readonly Identifier[];

/** What the address of a customer is, by its channel: a number is no ext_id, and WhatsApp's number has an attribute of its own. */
const ofAddress: Readonly<Record<Channel, Identifier | undefined>> = {
  voice: 'phone',
  sms: 'phone',
  whatsapp: 'whatsapp',
  webchat: 'extId',
  other: undefined,
};

const why: Readonly<Record<Identifier, string>> = {
  email: 'is no e-mail address',
  extId: 'is no id of 1 to 255 characters',
  phone: 'is no telephone number in E.164, or was withheld',
  whatsapp: 'is no telephone number in E.164, or was withheld',
};

/**
 * Which identifier a rule fills with its value; `why` continues a sentence that begins with the source. The address (`identity`)
 * with the target `ext_id` fills the identifier of its channel.
 */
export function identified(
  { source, target, transforms }: FieldRule,
  result: Result,
  { channel }: Pick<Interaction, 'channel'>,
): { identifier: Identifier; value: string } | { why: string } {
  if (!('identifier' in target)) throw new TypeError('the rule has no identifier');
  let { identifier } = target;
  if (source.kind === 'computed' && identifier !== 'email') {
    const own = ofAddress[channel];
    if (own === undefined || (identifier !== 'extId' && identifier !== own))
      return {
        why: `is no ${identifier === 'whatsapp' ? 'WHATSAPP' : 'SMS'} number in the channel ${channel}`,
      };
    identifier = own;
  }
  if ('why' in result) return result;
  const text = String(result.value);
  const value = checked(identifier, text, transforms);
  return value === undefined ? { why: why[identifier] } : { identifier, value };
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
