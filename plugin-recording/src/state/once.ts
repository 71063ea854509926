import { type KeyValues, stored } from './storage';

/** Remembers per account what needs saying only once in this browser. */
export interface Once {
  /** True the first time that this is asked of a thing. */
  first(what: string): boolean;
}

export function once(storage: KeyValues | undefined, accountSid: string): Once {
  const done = stored(storage, `flex_custody.told.${accountSid}`, (value) =>
    (Array.isArray(value) ? value : []).filter((one): one is string => typeof one === 'string'),
  );
  const memory = new Set<string>();
  return {
    first(what) {
      const before = done.read();
      if (memory.has(what) || before.includes(what)) return false;
      memory.add(what);
      done.write([...before, what]);
      return true;
    },
  };
}
