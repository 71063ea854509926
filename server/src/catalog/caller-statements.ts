import type { RecordingState } from '@flex-custody/core';
import type { LinkingCatalog } from './linking-catalog.ts';
import type { OperatingCatalog } from './operating-catalog.ts';
import { mostRows, type Statements } from './statements.ts';
import { talliesOf } from './tallies.ts';

const isOpen = (fact: string) => `(${fact} IS NULL OR '${fact}' = ANY(unproven))`;

/** The part of `k3f9a2b1c:…` that names the secret: see CallerDigest. */
const keyIdOf = (digest: string) => `substring(${digest} FROM '^(k[0-9a-f]{8}):')`;

/** A digest by another secret can be compared with nothing: a digest of Twilio's number by the present secret replaces it. */
const isReplaced = (by: string) =>
  `(${keyIdOf(`${by}::text`)} IS NOT NULL AND ${keyIdOf('caller')} IS DISTINCT FROM ${keyIdOf(`${by}::text`)})`;

/**
 * Assignments that fill in direction and caller; proven facts stay. `direction`, `caller` and `others` are placeholders
 * of the statement; a null changes nothing.
 */
export const callerAssignments = (
  direction: string,
  caller: string,
  others: string,
  alsoProven?: 'owner',
) => `
  direction = CASE WHEN ${isOpen('direction')} THEN coalesce(${direction}, direction) ELSE direction END,
  caller = CASE WHEN ${isOpen('caller')} OR ${isReplaced(caller)} THEN coalesce(${caller}, caller) ELSE caller END,
  unproven = ARRAY(SELECT fact FROM unnest(unproven) fact
    WHERE NOT (fact = 'direction' AND ${direction}::text IS NOT NULL OR fact = 'caller' AND ${caller}::text IS NOT NULL)
      ${alsoProven ? `AND fact <> '${alsoProven}'` : ''}),
  hinted_callers = ARRAY(SELECT DISTINCT unnest(hinted_callers || ${others}::text[]))`;

/** Direction and caller of recordings, as they become known. */
export function callerStatements({ accountSid, change, changeAll, db, rows }: Statements) {
  return {
    async calledBy(sid, { direction, caller, others }) {
      const known = {
        set: `updated_at = now(), ${callerAssignments('$2', '$3', '$4')}`,
        where: `state <> 'erased'
           AND ($2::text IS NOT NULL AND ${isOpen('direction')} OR $3::text IS NOT NULL AND ${isOpen('caller')}
             OR ${isReplaced('$3')} OR NOT hinted_callers @> $4::text[])`,
        values: [direction ?? null, caller ?? null, others],
      };
      return (await change<{ state: RecordingState }>(sid, known, 'state'))?.state;
    },
    withoutCaller: ({ conferenceSid, legs, taskSid }) =>
      rows({
        where: `(conference_sid = $1 OR call_sid = ANY($2::text[]) OR task_sid = $3) AND state <> 'erased'
           AND (${isOpen('direction')} OR ${isOpen('caller')})`,
        rest: 'ORDER BY recording_sid LIMIT $4',
        values: [conferenceSid, legs, taskSid ?? null, mostRows],
      }),
    async nameCallers(keyId) {
      const named = (digest: string) =>
        `CASE WHEN ${digest} IS NULL OR ${keyIdOf(digest)} IS NOT NULL THEN ${digest} ELSE $1::text || ':' || ${digest} END`;
      const isUnnamed = (list: string) =>
        `(caller IS NOT NULL AND ${keyIdOf('caller')} IS NULL
           OR EXISTS (SELECT FROM unnest(${list}) one WHERE ${keyIdOf('one')} IS NULL))`;
      await db.query(
        `UPDATE live_calls SET caller = ${named('caller')}, others = ARRAY(SELECT ${named('one')} FROM unnest(others) one)
         WHERE account_sid = $2 AND ${isUnnamed('others')}`,
        [keyId, accountSid],
      );
      return changeAll(
        `caller = ${named('caller')}, hinted_callers = ARRAY(SELECT ${named('one')} FROM unnest(hinted_callers) one)`,
        isUnnamed('hinted_callers'),
        keyId,
      );
    },
    async callerKeys() {
      const keys = new Map<string | undefined, number>();
      let none = 0;
      for (const { what, n } of await talliesOf(db, accountSid, 'caller')) {
        const [isKnown, keyId] = what;
        if (!isKnown) none += n;
        else keys.set(keyId ?? undefined, n);
      }
      return {
        keys: [...keys].map(([keyId, recordings]) => ({ ...(keyId && { keyId }), recordings })),
        none,
      };
    },
  } satisfies Partial<LinkingCatalog & OperatingCatalog>;
}
