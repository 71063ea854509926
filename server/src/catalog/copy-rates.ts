import type { IntakeCatalog } from './intake-catalog.ts';
import type { Statements } from './statements.ts';

const ratesKept = 20;
const leastForRate = 4e6;
/** Bytes per second, assumed before the first measured copy: so slow that no Function begins a copy that it cannot finish. */
const assumedRate = 8e6;

/** The speed of the last copies that Functions made. */
export function copyRates({ db }: Statements) {
  return {
    async recordRate(bytes, ms) {
      if (!(bytes >= leastForRate && ms > 0)) return;
      await db.query('INSERT INTO copy_rates (rate) VALUES ($1)', [(bytes / ms) * 1_000]);
      await db.query(
        'DELETE FROM copy_rates WHERE id NOT IN (SELECT id FROM copy_rates ORDER BY id DESC LIMIT $1)',
        [ratesKept],
      );
    },
    async observedRate() {
      const [row] = await db.query<{ rate: number | null }>(
        `SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY rate) AS rate
         FROM (SELECT rate FROM copy_rates ORDER BY id DESC LIMIT $1) recent`,
        [ratesKept],
      );
      return row?.rate ?? assumedRate;
    },
  } satisfies Partial<IntakeCatalog>;
}
