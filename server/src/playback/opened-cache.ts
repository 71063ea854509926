/**
 * A small cache of things that are slow to open: the least recently used is dropped first, none is kept longer than its time,
 * and simultaneous requests for one key share one opening. A failed opening is not kept.
 */
export class OpenedCache<T> {
  readonly #entries = new Map<string, { value: Promise<T>; until: number }>();
  readonly #limit: number;
  readonly #ttlMs: number;
  readonly #now: () => number;

  constructor(options: { limit: number; ttlMs: number; now?: () => number }) {
    this.#limit = options.limit;
    this.#ttlMs = options.ttlMs;
    this.#now = options.now ?? Date.now;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, open: () => Promise<T>): Promise<T> {
    const known = this.#entries.get(key);
    this.#entries.delete(key);
    if (known && known.until > this.#now()) {
      // Inserts it again as the most recently used.
      this.#entries.set(key, known);
      return known.value;
    }
    const value = open();
    const entry = { value, until: this.#now() + this.#ttlMs };
    this.#entries.set(key, entry);
    value.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#limit && oldest !== undefined) this.#entries.delete(oldest);
    return value;
  }
}
