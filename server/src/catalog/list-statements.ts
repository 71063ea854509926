import {
  CustodyError,
  type LinkState,
  linkStates,
  type RecordingState,
  recordingStates,
} from '@flex-custody/core';
import { behindOf, mostCounted } from '../db/pages.ts';
import type { OperatingCatalog } from './operating-catalog.ts';
import type { Listing } from './recording-row.ts';
import { mostRows, type Statements } from './statements.ts';
import { talliesOf } from './tallies.ts';

const newestFirst = 'ORDER BY started_at DESC, recording_sid DESC';

/** The text has only the requested conditions, so that PostgreSQL can choose the index that fits them. */
function conditionOf({ state, linkState, failure, after }: Omit<Listing, 'limit'>) {
  const values: unknown[] = [];
  const is = (condition: (name: string) => string, value: unknown): string => {
    values.push(value);
    return condition(`$${values.length}::text`);
  };
  const conditions = [
    ...(after === undefined
      ? []
      : [
          is(
            (name) => `(started_at, recording_sid) <
              (SELECT mark.started_at, mark.recording_sid FROM recordings mark WHERE mark.recording_sid = ${name})`,
            after,
          ),
        ]),
    ...(failure === undefined ? [] : [is((name) => `failure = ${name}`, failure)]),
    // PostgreSQL uses a partial index only if the text names the state; a parameter could be any state.
    ...(state === undefined ? [] : [`state = '${oneOf(recordingStates, state)}'`]),
    // Erased recordings have no link; the list by state has them.
    ...(linkState === undefined
      ? []
      : [
          `link_state = '${oneOf(linkStates, linkState)}'${state === 'erased' ? '' : ` AND state <> 'erased'`}`,
        ]),
  ];
  return { where: conditions.length === 0 ? 'true' : conditions.join(' AND '), values };
}

/** The value becomes part of a statement's text, so only a known value is allowed. */
function oneOf<T extends string>(words: readonly T[], word: T): T {
  const known = words.find((one) => one === word);
  if (known === undefined) throw new CustodyError('request_invalid', 'no such state');
  return known;
}

/** Lists and counts for operators. */
export function listStatements({ accountSid, change, db, rows, select }: Statements) {
  return {
    list: ({ limit, ...of }) => {
      const { where, values } = conditionOf(of);
      return rows({
        where,
        rest: `${newestFirst} LIMIT ${Math.min(limit, mostRows)}`,
        values,
      });
    },
    async countBehind(of) {
      const { where, values } = conditionOf(of);
      // With the order of the list; without an order PostgreSQL may scan all rows, from the oldest on.
      const rest = `${newestFirst} LIMIT ${mostCounted + 1}`;
      return behindOf((await select<object>('1', { where, rest, values })).length);
    },
    async counts() {
      const states = zeros(recordingStates);
      const links = zeros(linkStates);
      let proven = 0;
      for (const { what, n } of await talliesOf(db, accountSid, 'standing')) {
        const [state, link, isProven] = what;
        states[state as RecordingState] += n;
        links[link as LinkState] += n;
        if (isProven && state === 'verified') proven += n;
      }
      return { states, links, proven };
    },
    async bumpSegmentGeneration(sid) {
      const raised = { set: 'segment_generation = segment_generation + 1, updated_at = now()' };
      return (await change<{ n: number }>(sid, raised, 'segment_generation AS n'))?.n;
    },
  } satisfies Partial<OperatingCatalog>;
}

function zeros<K extends string>(names: readonly K[]): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>;
}
