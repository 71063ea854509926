import { Refused } from './refused.ts';

export type Body = Record<string, unknown>;
/** What a control was asked with; each reader throws {@link Refused} with what it wants. */
export const bodyOf = (body: unknown): Body =>
  typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Body) : {};

export function read<T>(
  body: Body,
  name: string,
  fallback: T,
  valid: (value: unknown) => value is T,
  wants: string,
): T {
  const value = body[name];
  if (value === undefined || value === null) return fallback;
  if (!valid(value)) throw new Refused(`"${name}" must be ${wants}`);
  return value;
}
export const flag = (body: Body, name: string, fallback: boolean) =>
  read(body, name, fallback, (value) => typeof value === 'boolean', 'true or false');
export const number = (body: Body, name: string, fallback: number, least: number, most: number) =>
  read(
    body,
    name,
    fallback,
    (value): value is number => typeof value === 'number' && value >= least && value <= most,
    `a number from ${least} to ${most}`,
  );
export const text = (body: Body, name: string) =>
  read<string | undefined>(
    body,
    name,
    undefined,
    (value): value is string => typeof value === 'string',
    'text',
  );
export function choice<T extends string | number>(
  body: Body,
  name: string,
  fallback: T,
  allowed: readonly T[],
): T {
  const valid = (value: unknown): value is T => allowed.some((one) => one === value);
  return read(body, name, fallback, valid, `one of ${allowed.join(', ')}`);
}
