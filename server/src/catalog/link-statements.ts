import { callerAssignments } from './caller-statements.ts';
import type { LinkingCatalog } from './linking-catalog.ts';
import type { OperatingCatalog } from './operating-catalog.ts';
import type { Owner } from './recording-row.ts';
import type { Statements } from './statements.ts';

/** Only an unsigned sidecar names the owner: no proven fact is filled in from it. */
const isUnprovenOwner = `'owner' = ANY(unproven)`;

const hinted = (value: string) =>
  `hinted_callers = ARRAY(SELECT DISTINCT unnest(hinted_callers || ${value}::text[]))`;

const owner = (of: Owner | undefined) => [
  of?.taskSid ?? null,
  of?.reservationSid ?? null,
  of?.workerSid ?? null,
  of?.queue ?? null,
  of?.hintedCallers ?? [],
];

/** The task to which a recording is linked, and refused hints. */
export function linkStatements({ isSet, set }: Statements) {
  return {
    linked: (sid, { hintedCallers = [], ...of }, { direction, caller, others = [] } = {}) =>
      set(
        sid,
        `link_state = 'linked', link_reason = NULL, task_sid = $2, reservation_sid = $3, worker_sid = $4,
         queue = coalesce($5, queue), ${callerAssignments('$7', '$8', '$6', 'owner')}`,
        [
          ...owner({ ...of, hintedCallers: [...hintedCallers, ...others] }),
          direction ?? null,
          caller ?? null,
        ],
        `state <> 'erased'`,
      ),
    unlinked: (sid, reason, of) =>
      set(
        sid,
        `link_state = 'unlinked', link_reason = $2, task_sid = coalesce($3, task_sid),
         reservation_sid = CASE WHEN $3::text IS NOT NULL AND ${isUnprovenOwner} THEN $4 ELSE coalesce($4, reservation_sid) END,
         worker_sid = CASE WHEN $3::text IS NOT NULL AND ${isUnprovenOwner} THEN $5 ELSE coalesce($5, worker_sid) END,
         unproven = CASE WHEN $3::text IS NULL THEN unproven ELSE array_remove(unproven, 'owner') END,
         queue = coalesce($6, queue), ${hinted('$7')}`,
        [reason, ...owner(of)],
        `link_state <> 'linked' AND state <> 'erased'`,
      ),
    refused: (sid, reason) =>
      set(
        sid,
        // With the hints, the owner that only an unsigned sidecar names is disproved.
        `link_state = 'refused', link_reason = $2,
         task_sid = CASE WHEN ${isUnprovenOwner} THEN NULL ELSE task_sid END,
         reservation_sid = CASE WHEN ${isUnprovenOwner} THEN NULL ELSE reservation_sid END,
         worker_sid = CASE WHEN ${isUnprovenOwner} THEN NULL ELSE worker_sid END`,
        [reason],
        `link_state <> 'linked' AND state <> 'erased'`,
      ),
    rehinted: (sid, hints) =>
      isSet(
        sid,
        `hints = $2::jsonb, link_state = 'pending', link_reason = NULL`,
        [JSON.stringify(hints)],
        `link_state = 'refused' AND state <> 'erased'`,
      ),
    relink: (sid) =>
      isSet(
        sid,
        `link_state = 'pending', link_reason = NULL`,
        [],
        `link_state IN ('unlinked', 'refused') AND state <> 'erased'`,
      ),
  } satisfies Partial<LinkingCatalog & OperatingCatalog>;
}
