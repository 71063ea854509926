import { isIP } from 'node:net';
import { withoutSlashes } from '@flex-custody/core';
import { isPrivateHost } from '@flex-custody/net';
import { z } from 'zod';

export const matching = (shape: RegExp, must: string) => z.string().regex(shape, { error: must });
export const whole = (min: number, max: number) =>
  z
    .string()
    .refine((text) => /^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `must be a whole number from ${min} to ${max}`,
    })
    .transform(Number);
export const flag = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .transform((text) => text === 'true');
/** In the spelling of Verint's page (True) and in the usual one. */
export const anyCaseFlag = z
  .string()
  .refine((text) => /^(true|false)$/i.test(text), { error: 'must be true or false' })
  .transform((text) => text.toLowerCase() === 'true');
export const list = z
  .string()
  .transform((text) =>
    [...new Set(text.split(',').map((item) => item.trim()))].filter((item) => item !== ''),
  );
export const secrets = list.refine(
  (items) => items.length >= 1 && items.length <= 2 && items.every((item) => item.length >= 32),
  { error: 'must be one secret, or two while rotating, each of at least 32 characters' },
);
/** Hours after which originals are deleted; undefined: they stay. */
export const sourceHours = (text: string): number | undefined => {
  if (text === 'off') return undefined;
  if (text === 'on') return 24;
  return Number.parseInt(text, 10) * (text.endsWith('d') ? 24 : 1);
};
/** An address, or a network such as 10.0.0.0/8. */
export const isNetwork = (text: string): boolean => {
  const [address = '', bits = '0', ...more] = text.split('/');
  const family = isIP(address);
  return (
    family !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32)
  );
};
export const isOrigin = (text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
/** Where a name leads is seen when it is resolved. */
export const isPublicHttps = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'https:' && !isPrivateHost(url.hostname.replace(/^\[|\]$/g, ''));
};
export const baseUrl = z
  .string()
  .transform(withoutSlashes)
  .refine((text) => isOrigin(text) && !/[?#@]/.test(text), {
    error: 'must be an http(s) URL without credentials, query and fragment',
  });
/** Tokens, recordings and events are sent to it: without TLS only if they never leave the machine. */
export const isSafe = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback.test(url.hostname));
};
const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;
export const publicUrl = z
  .string()
  .transform(withoutSlashes)
  .refine(
    (text) => {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      return url?.origin === text.toLowerCase() && isSafe(text);
    },
    { error: 'must be an https:// origin without a path (http:// on loopback alone)' },
  );
