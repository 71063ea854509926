import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

/**
 * What carriers and Twilio send in place of a withheld number: RESTRICTED, BLOCKED, ANONYMOUS, UNAVAILABLE typed on a
 * telephone's keys, with a country code or without. One of them looks like a number that somebody could have.
 * Source: https://help.twilio.com/articles/223179988-Why-am-I-getting-calls-from-these-strange-numbers-
 */
const withheld: ReadonlySet<string> = new Set(
  ['7378742833', '7378742883', '2562533', '266696687', '8656696', '86282452253', '464']
    .flatMap((keys) => [keys, `1${keys}`])
    .map((digits) => `+${digits}`),
);

/**
 * A number in E.164, `+4930123456`, however it was written, a national zero in brackets included.
 * @returns undefined where it has no `+`, no number of that length exists in its country, or it was withheld
 */
export function toE164(text: string): string | undefined {
  const written = withoutScheme(text).trim();
  if (!written.startsWith('+')) return undefined;
  const parsed = parsePhoneNumberFromString(written, { extract: false });
  if (!parsed?.isPossible() || parsed.ext !== undefined) return undefined;
  return withheld.has(parsed.number) ? undefined : parsed.number;
}

/** The same for a number that somebody typed: one that its country does not give to anybody is a slip. */
export function asTyped(text: string): string | undefined {
  const number = toE164(text);
  return number !== undefined && parsePhoneNumberFromString(number)?.isValid() ? number : undefined;
}

/** `sip:+4930123456@trunk.example;user=phone`, `tel:+4930123456`: the number in it. Flex's `client:` holds none. */
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

/** A number as people, carriers and Flex write one, without the signs between its digits; undefined for all else. */
export function plainNumber(text: string): string | undefined {
  const plain = plainText(withoutScheme(text));
  return /^\+?\d{5,15}$/.test(plain) && !withheld.has(plain) ? plain : undefined;
}

export function plainText(text: string): string {
  return text.replace(/[\s()./-]/g, '');
}
