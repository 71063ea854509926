import { type StringKey, strings } from './strings';

/** Ours beneath what the customer has set already. */
export function withOurs<T extends object>(theirs: T): T {
  return { ...strings, ...theirs };
}

/** The text of a key as the customer has it now, filled in. */
export function text(
  all: Readonly<Record<string, unknown>>,
  key: StringKey,
  values: Readonly<Record<string, string>> = {},
): string {
  const found = all[key];
  const template = typeof found === 'string' && found !== '' ? found : strings[key];
  return template.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => values[name] ?? whole);
}

/** `1:05`, `1:00:05` */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
