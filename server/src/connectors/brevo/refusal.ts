import { redact } from '../../log.ts';

const mostLetters = 300;
/** A shorter value says nothing by itself, and its removal would spoil words. */
const leastLetters = 3;
const personal: readonly RegExp[] = [
  /[^\s"'<>()=:,;]+@[^\s"'<>(),;]+/g,
  /\bxkeysib-[\w-]+/gi,
  /\b(?:\d{1,3}\.){3}\d{1,3}\b/g,
  /\b[\da-f]{1,4}(?::[\da-f]{0,4}){3,}\b/gi,
  // Numbers, also with blanks and dashes in them.
  /\+?\d(?:[\s().-]{0,2}\d){5,}/g,
];

/** Brevo's code, if it is one. */
export const codeOf = (code: unknown): string | undefined =>
  typeof code === 'string' && /^[A-Za-z][\w-]{0,63}$/.test(code) ? code : undefined;

/** Every text in a value. */
export function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

/** Brevo's message without addresses, numbers and whatever else was sent. @param sent texts of the request */
export function messageOf(message: unknown, sent: readonly string[]): string {
  if (typeof message !== 'string') return '';
  const values = [...new Set(sent.map((text) => text.trim()))]
    .filter((text) => text.length >= leastLetters)
    .sort((a, b) => b.length - a.length);
  const unsaid = values.reduce((text, value) => text.replaceAll(value, '[redacted]'), message);
  const spoken = personal.reduce((text, what) => text.replace(what, '[redacted]'), redact(unsaid));
  return spoken.replace(/\s+/g, ' ').slice(0, mostLetters);
}
