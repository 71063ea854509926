/** The part of `localStorage` and `sessionStorage` that we need. */
export interface KeyValues {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** A JSON value under a key; a storage that is full, forbidden or garbled counts as empty and never throws. */
export function stored<T>(storage: KeyValues | undefined, key: string, parse: (value: unknown) => T) {
  return {
    read(): T {
      try {
        return parse(JSON.parse(storage?.getItem(key) ?? 'null'));
      } catch {
        return parse(null);
      }
    },
    write(value: T): void {
      try {
        storage?.setItem(key, JSON.stringify(value));
      } catch {
        // Kept in memory alone, then.
      }
    },
  };
}
