import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { coalesce } from '../db/coalesce.ts';
import type { Db } from '../db/db.ts';
import {
  type BeginTry,
  beginTries,
  type CustomerResult,
  type EffectResult,
  endClaims,
  endTries,
} from './outbox-table.ts';
import { beginBatch } from './uncertain-table.ts';

/** The outbox's writes of one process: those that come together are one statement. */
export interface Tries {
  /** @returns the try of each that may be sent, by id; the others are not to be sent by this claim */
  begin(tries: readonly BeginTry[]): Promise<ReadonlyMap<number, string>>;
  /**
   * Of events of the past. `room`: only so many of the first ones were asked for; the others have to wait until fewer are under way
   * or uncertain.
   */
  beginBatch(tries: readonly BeginTry[]): Promise<{ begun: ReadonlyMap<number, string>; room: number }>;
  end(results: readonly EffectResult[], tries?: ReadonlyMap<number, string>): Promise<void>;
  endClaim(result: CustomerResult): Promise<void>;
}

const mostWrites = 4;
const betweenMs = 100;

/** A write that is lost leaves effects uncertain, and a look at each of them is dear. */
async function insisting<T>(write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write();
    } catch (error) {
      if (attempt === mostWrites) throw error;
      await sleep(betweenMs * 2 ** attempt);
    }
  }
}

export function createTries(db: Db, connector: string): Tries {
  const begin = coalesce(async (all: (readonly BeginTry[])[]) => {
    const attempt = randomUUID();
    const ids = await beginTries(db, all.flat(), attempt);
    return { attempt, ids };
  });
  const end = coalesce((all: { results: readonly EffectResult[]; tries: ReadonlyMap<number, string> }[]) =>
    insisting(() =>
      endTries(
        db,
        all.flatMap(({ results }) => results),
        new Map(all.flatMap(({ tries }) => [...tries])),
      ),
    ),
  );
  const endClaim = coalesce((all: CustomerResult[]) => insisting(() => endClaims(db, all)));
  return {
    async begin(tries) {
      if (tries.length === 0) return new Map();
      const { attempt, ids } = await begin(tries);
      return new Map(tries.filter(({ id }) => ids.has(id)).map(({ id }) => [id, attempt] as const));
    },
    async beginBatch(tries) {
      const attempt = randomUUID();
      const { ids, room } = await beginBatch(db, connector, tries, attempt);
      return { begun: new Map([...ids].map((id) => [id, attempt] as const)), room };
    },
    end: (results, tries = new Map()) => (results.length === 0 ? Promise.resolve() : end({ results, tries })),
    endClaim,
  };
}
