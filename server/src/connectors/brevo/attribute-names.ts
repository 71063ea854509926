import type { Alarms } from '../../alarms/alarms.ts';
import type { Brevo, BrevoContact, BrevoOutcome, BrevoValue } from './brevo-api.ts';
import type { MappedAttribute } from './mapping.ts';

export interface AttributeNamesDeps {
  brevo: Pick<Brevo, 'attributes' | 'createAttribute'>;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  /** Whether an attribute that Brevo lacks is created. */
  mayCreate: boolean;
  /** What the mapping writes: a type that it states counts more than that of a value. */
  mapped: readonly MappedAttribute[];
  now?: () => number;
}

/** Which attributes Brevo has: it may ignore a value under another name, or refuse the whole contact. */
export interface AttributeNames {
  /** The contact without the attributes that Brevo lacks and that may not be created; undefined where one could not be created now. @param isAgain whether Brevo is asked again */
  fit(contact: BrevoContact, signal: AbortSignal, isAgain?: boolean): Promise<BrevoContact | undefined>;
}

/** How long an answer of Brevo is used, ms: it counts for the limit of contacts. */
const keptMs = 60 * 60_000;
const isDate = /^\d{4}-\d\d-\d\d(T|$)/;

export const typeOf = (value: BrevoValue): 'text' | 'date' | 'float' | 'boolean' =>
  typeof value === 'number'
    ? 'float'
    : typeof value === 'boolean'
      ? 'boolean'
      : isDate.test(value)
        ? 'date'
        : 'text';

export function createAttributeNames({
  alarms,
  brevo,
  mapped,
  mayCreate,
  now = Date.now,
}: AttributeNamesDeps): AttributeNames {
  let known: { at: number; names: Promise<Set<string> | undefined> } | undefined;
  const stated = new Map(mapped.map(({ name, type }) => [name, type]));
  const reported = new Set<string>();
  /** Whether Brevo has answered since the alarm was last resolved: one of another process may be open. */
  let isNews = false;

  const ask = async (signal: AbortSignal): Promise<Set<string> | undefined> => {
    const found = await brevo.attributes(signal);
    isNews = true;
    return found.kind === 'done' ? new Set(found.value.map(({ name }) => name)) : undefined;
  };
  /** Undefined where Brevo did not say: the contact is sent as it is. */
  const namesOf = async (signal: AbortSignal, isAgain: boolean): Promise<Set<string> | undefined> => {
    if (!known || isAgain || now() - known.at > keptMs) {
      const names = ask(signal);
      known = { at: now(), names };
      const asked = known;
      const forget = () => {
        if (known === asked) known = undefined;
      };
      void names.then((answer) => (answer ? undefined : forget()), forget);
    }
    return known.names;
  };
  const isThere = ({ kind }: BrevoOutcome<undefined>) => kind === 'done';

  return {
    async fit(contact, signal, isAgain = false) {
      const names = await namesOf(signal, isAgain).catch(() => undefined);
      if (!names) return contact;
      const lacking: string[] = [];
      const empty: string[] = [];
      for (const [name, value] of Object.entries(contact.attributes)) {
        if (names.has(name)) continue;
        if (value === '') {
          // What is not there needs no emptying.
          empty.push(name);
          continue;
        }
        // Another process may have created it meanwhile: Brevo then refuses, and the next look finds it.
        const made = mayCreate
          ? await brevo.createAttribute(name, stated.get(name) ?? typeOf(value), signal)
          : undefined;
        if (made && !isThere(made) && made.kind !== 'refused') return undefined;
        if (made && isThere(made)) names.add(name);
        else lacking.push(name);
      }
      if (lacking.some((name) => !reported.has(name))) {
        for (const name of lacking) reported.add(name);
        await alarms.raise('brevo_attribute_missing', undefined, [...reported].sort().join(', '));
      } else if (isNews) {
        for (const name of reported) if (names.has(name)) reported.delete(name);
        if (reported.size === 0) await alarms.resolve(['brevo_attribute_missing']);
        isNews = false;
      }
      if (lacking.length + empty.length === 0) return contact;
      const has = ([name]: [string, BrevoValue]) => !lacking.includes(name) && !empty.includes(name);
      return { ...contact, attributes: Object.fromEntries(Object.entries(contact.attributes).filter(has)) };
    },
  };
}
