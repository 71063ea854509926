import { CustodyError } from '@flex-custody/core';
import type { Context } from './runtime.ts';

export interface Variables {
  /** The variable's value; an empty one counts as unset. */
  text(name: string): string | undefined;
  /** The value, noted as at fault where there is none. */
  needed<T>(name: string, value: T | undefined): T;
}

/**
 * Reads what one Function needs of the environment, so that it does not fail for want of what only another one needs.
 * @throws CustodyError `config_invalid` (500) naming every variable at fault, without its value
 */
export function fromEnvironment<T>(context: Context, read: (variables: Variables) => T): T {
  const wrong: string[] = [];
  const config = read({
    text(name) {
      const value = context[name];
      return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
    },
    needed<V>(name: string, value: V | undefined): V {
      if (value === undefined) wrong.push(name);
      return value as V;
    },
  });
  if (wrong.length > 0) {
    throw new CustodyError(
      'config_invalid',
      `set, or correct, in the Functions' environment: ${wrong.join(', ')}`,
    );
  }
  return config;
}

const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** In the clear only where it never leaves the machine; without credentials in it. */
export function safeUrl(text: string | undefined): URL | undefined {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (!url || `${url.username}${url.password}${url.hash}` !== '') return undefined;
  return url.protocol === 'https:' || (url.protocol === 'http:' && loopback.has(url.hostname))
    ? url
    : undefined;
}

/** An origin without a path: a proxy would take such a one off, and what is signed is the path as its reader sees it. */
export function safeOrigin(text: string | undefined): string | undefined {
  const url = safeUrl(text);
  return url && /^\/*$/.test(url.pathname) && url.search === '' ? url.origin : undefined;
}

/** A comma list of which each item is good; undefined where one is not, or there is none. */
export function listOf<T>(text: string | undefined, parse: (item: string) => T | undefined): T[] | undefined {
  const items = (text ?? '').split(',').flatMap((item) => item.trim() || []);
  const good = items.flatMap((item) => parse(item) ?? []);
  return items.length > 0 && good.length === items.length ? good : undefined;
}
