import type { ErrorCode } from '../error-table.ts';
import { CustodyError } from '../errors.ts';
import { fieldsOf } from '../json-fields.ts';

/** The value where it is what it should be, else undefined. */
export type Parse<T> = (value: unknown) => T | undefined;

/** The fields of an object that another machine sent. A field that is undefined is absent. */
export interface Fields {
  /** A field that has to be there. */
  needed<T>(name: string, parse: Parse<T>): T;
  /** The field under its own name, or nothing where it is absent. */
  optional<N extends string, T>(name: N, parse: Parse<T>): Partial<Record<N, T>>;
  /** Likewise, for what only says where to look: a malformed one is left out and is no fault. */
  hint<N extends string, T>(name: N, parse: Parse<T>): Partial<Record<N, T>>;
  /** The fields of an object inside this one. */
  within(name: string): Fields;
}

/** What is said of a faulty object: what it is, an error's code, and the sender's names of fields where ours differ. */
export interface Fault {
  what: string;
  code: ErrorCode;
  names?: Readonly<Record<string, string>>;
}

/**
 * Reads what was sent to this machine.
 * @throws CustodyError `code` that names each field at fault, without its value
 */
export function parseFields<T>(
  value: unknown,
  { what, code, names = {} }: Fault,
  read: (fields: Fields) => T,
): T {
  const wrong: string[] = [];
  const parsed = read(fieldsOfObject(value, '', wrong));
  if (wrong.length === 0) return parsed;
  const named = wrong.map((name) => names[name] ?? name).join(', ');
  throw new CustodyError(code, `${what}: missing or malformed ${named}`);
}

/** Reads what another machine answered; undefined where a field is at fault. */
export function readFields<T>(value: unknown, read: (fields: Fields) => T): T | undefined {
  const wrong: string[] = [];
  const parsed = read(fieldsOfObject(value, '', wrong));
  return wrong.length > 0 ? undefined : parsed;
}

function fieldsOfObject(value: unknown, path: string, wrong: string[]): Fields {
  const object = fieldsOf(value);
  const needed = <T>(name: string, parse: Parse<T>): T => {
    const parsed = parse(object[name]);
    if (parsed === undefined) wrong.push(`${path}${name}`);
    return parsed as T;
  };
  const under = <N extends string, T>(name: N, parsed: T | undefined) =>
    (parsed === undefined ? {} : { [name]: parsed }) as Partial<Record<N, T>>;
  return {
    needed,
    optional: (name, parse) => (object[name] === undefined ? {} : under(name, needed(name, parse))),
    hint: (name, parse) => under(name, parse(object[name])),
    within: (name) => fieldsOfObject(object[name], `${path}${name}.`, wrong),
  };
}

/** A form's fields without the empty ones: a browser sends those too. */
export const filled = (form: unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fieldsOf(form)).filter(([, value]) => value !== '' && value !== null));

export const oneOf =
  <const T>(...all: readonly T[]): Parse<T> =>
  (value) =>
    all.find((one) => one === value);

export const textOf =
  (shape: RegExp): Parse<string> =>
  (value) =>
    typeof value === 'string' && shape.test(value) ? value : undefined;

export const asText: Parse<string> = (value) => (typeof value === 'string' ? value : undefined);
export const asBoolean: Parse<boolean> = (value) => (typeof value === 'boolean' ? value : undefined);
export const asNumber: Parse<number> = (value) => (typeof value === 'number' ? value : undefined);
/** More than nothing. */
export const asPositive: Parse<number> = (value) =>
  typeof value === 'number' && value > 0 ? value : undefined;
/** A count or a size. */
export const asWhole: Parse<number> = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
