/** For so long a measurement counts: two clocks of 50 ppm are 6 ms apart after a minute. */
const goodForMs = 60_000;

/** The database's clock by ours, in ms. */
export interface DatabaseClock {
  /** An answer of the database that says what its clock showed. */
  saw(database: number, sentAt: number, cameAt: number): void;
  /** When a time of the database is by our clock. */
  ours(database: number): number;
  /** What the database's clock shows at a time of ours. */
  theirs(ours: number): number;
  /** How long an answer took last. */
  tookMs(): number;
}

/** The answer that was quickest says it best: by a slow one, our turns would be late and those of the next slice early. */
export function createDatabaseClock(): DatabaseClock {
  let best = { behind: 0, took: Number.POSITIVE_INFINITY, at: Number.NEGATIVE_INFINITY };
  let took = 0;
  return {
    saw(database, sentAt, cameAt) {
      took = cameAt - sentAt;
      if (took <= best.took || cameAt - best.at > goodForMs)
        best = { behind: cameAt - database, took, at: cameAt };
    },
    ours: (database) => database + best.behind,
    theirs: (ours) => ours - best.behind,
    tookMs: () => took,
  };
}
