import { isObject } from '@flex-custody/core';
import type { Interaction } from '../interaction.ts';
import { emailOf, isWithheld, phoneOf, withoutChannel } from './address.ts';
import type { Source } from './config/sources.ts';
import type { Totals } from './mapping.ts';

/** The value under a path of the task's attributes; undefined where there is none. */
export function attributeAt(attributes: unknown, path: readonly string[]): unknown {
  let at = attributes;
  for (const key of path) {
    if ((!isObject(at) && !Array.isArray(at)) || !Object.hasOwn(at, key)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[key];
  }
  return at;
}

/** A text that JSON, PostgreSQL and Brevo can store: no half characters and no control characters. */
export const cleaned = (text: string): string =>
  text
    .replaceAll(/\p{Cs}/gu, '\uFFFD')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();

/** Seconds, counts and scores as they are sent: one decimal. Undefined for a number that none of them can be. */
export const rounded = (value: number | undefined): number | undefined =>
  value !== undefined && Math.abs(value) < 1e12 ? Math.round(value * 10) / 10 : undefined;

/** The day of UTC, as Brevo's attributes of type date take it. */
export const dayOf = (at: number): string | undefined =>
  Number.isFinite(at) && Math.abs(at) < 253_402_300_800_000 && at > -62_135_596_800_000
    ? new Date(at).toISOString().slice(0, 10)
    : undefined;

/** Where task attributes of Flex and its templates have the customer's name. */
const namePaths = ['friendly_name', 'customers.name', 'customerName', 'name'].map((path) => path.split('.'));

/** Voice tasks have the caller's number as their name, and web chats a word for a visitor without one. */
function friendlyName(attributes: unknown, address: string | undefined): string | undefined {
  for (const path of namePaths) {
    const name = attributeAt(attributes, path);
    if (typeof name !== 'string') continue;
    const text = name.trim();
    const isAddress =
      withoutChannel(text) === withoutChannel(address ?? '') ||
      phoneOf(text) !== undefined ||
      /^\+?[\d\s()./-]+$/.test(text) ||
      /^[a-z]+:\S+$/i.test(text);
    if (text !== '' && !isAddress && !isWithheld(text) && emailOf(text) === undefined) return text;
  }
  return undefined;
}

/** The value of a source, as it is before the transforms. */
export function sourceValue(source: Source, { customer }: Interaction, totals: Totals): unknown {
  const { address, attributes } = customer;
  if (source.kind === 'attribute') return attributeAt(attributes, source.path);
  switch (source.name) {
    case 'identity':
      return address === undefined ? undefined : withoutChannel(address);
    case 'friendly_name':
      return friendlyName(attributes, address);
    case 'last_conversation_date':
      return dayOf(totals.lastConversationAt);
    case 'total_conversations':
      return totals.conversations;
    case 'avg_wait_time':
      return rounded(totals.averageWaitSeconds);
    case 'avg_talk_time':
      return rounded(totals.averageTalkSeconds);
    case 'last_csat_score':
      return rounded(totals.lastCsatScore);
    case 'preferred_channel':
      return totals.preferredChannel;
  }
}
