import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/min';
import { toE164 } from '../../retention/numbers.ts';

const channelNames =
  /^((whatsapp|sms|mms|rcs|tel|messenger|facebook|instagram|viber|line|email|chat|web|webchat):\s*)+/i;

/** `whatsapp:+34…` → `+34…`: names of channels that Twilio writes before an address. */
export const withoutChannel = (text: string): string => text.trim().replace(channelNames, '').trim();

/** An address of Twilio Voice that is no telephone number: a browser or a SIP device. */
const isDevice = (text: string): boolean => /^(client|sips?):/i.test(text.trim());

/** What carriers, Twilio and Flex write in place of a caller who withholds number or name. */
export const isWithheld = (text: string): boolean =>
  /^\+?(anonymous|unknown|restricted|blocked|private|unavailable|withheld|null|undefined)$/i.test(
    text.trim(),
  );

/**
 * A number in E.164; undefined if it is none, was withheld, or belongs to a browser or a SIP device.
 * @param country of a number without a country code
 */
export function phoneOf(text: string, country?: CountryCode): string | undefined {
  const written = withoutChannel(text).replace(/^00(?=[1-9])/, '+');
  if (written === '' || written.length > 64 || isDevice(written) || isWithheld(written)) return undefined;
  const number = toE164(written);
  if (number !== undefined || country === undefined || written.startsWith('+')) return number;
  const parsed = parsePhoneNumberFromString(written, { defaultCountry: country, extract: false });
  return parsed?.isPossible() && parsed.ext === undefined ? toE164(parsed.number) : undefined;
}

/** Lower case; undefined if it is no e-mail address that Brevo could take. */
export function emailOf(text: string): string | undefined {
  const email = text.trim().toLowerCase();
  return email.length <= 254 &&
    /^[^\s@<>(),;:"[\]\\]+@[^\s@<>(),;:"[\]\\.]+(\.[^\s@<>(),;:"[\]\\.]+)+$/.test(email)
    ? email
    : undefined;
}

/** An id of another system, such as the identity of a web chat. */
export function extIdOf(text: string): string | undefined {
  const id = withoutChannel(text);
  return id !== '' && id.length <= 255 && !isWithheld(id) && !isDevice(id) && !/\p{Cc}/u.test(id)
    ? id
    : undefined;
}
