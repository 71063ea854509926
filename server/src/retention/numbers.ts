import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

/**
 * What carriers and Twilio send in place of a withheld number: RESTRICTED, BLOCKED, ANONYMOUS, UNAVAILABLE as digits of a
 * telephone keypad, with or without a country code. One of them looks like a possible number.
 * Source: https://help.twilio.com/articles/223179988-Why-am-I-getting-calls-from-these-strange-numbers-
 */
const withheld: ReadonlySet<string> = new Set(
  ['7378742833', '7378742883', '2562533', '266696687', '8656696', '86282452253', '464']
    .flatMap((keys) => [keys, `1${keys}`])
    .map((digits) => `+${digits}`),
);

/**
 * Normalises a number to E.164, `+4930123456`, from any usual notation, including a national zero in brackets.
 * @returns undefined if it has no `+`, if its country has no number of that length, or if it was withheld
 */
export function toE164(text: string): string | undefined {
  const written = withoutScheme(text).trim();
  if (!written.startsWith('+')) return undefined;
  const parsed = parsePhoneNumberFromString(written, { extract: false });
  if (!parsed?.isPossible() || parsed.ext !== undefined) return undefined;
  return withheld.has(parsed.number) ? undefined : parsed.number;
}

/** The same for a number that an operator typed: a number that its country does not assign is a typing error. */
export function asTyped(text: string): string | undefined {
  const number = toE164(text);
  return number !== undefined && parsePhoneNumberFromString(number)?.isValid() ? number : undefined;
}

/** The number in `sip:+4930123456@trunk.example;user=phone` or `tel:+4930123456`. Flex's `client:` addresses have none. */
function withoutScheme(text: string): string {
  const address = /^(?:sips?|tel):([^@;?]*)/i.exec(text.trim());
  return address ? decoded(address[1] ?? '') : text;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A number as people, carriers and Flex write it, without the separators between its digits; undefined if it is no number. */
export function plainNumber(text: string): string | undefined {
  const plain = plainText(withoutScheme(text));
  return /^\+?\d{5,15}$/.test(plain) && !withheld.has(plain) ? plain : undefined;
}

export function plainText(text: string): string {
  return text.replace(/[\s()./-]/g, '');
}
