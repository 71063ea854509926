import { inWords, isShorter, lineOf, type PolicyDifference } from '../retention/compare.ts';
import type { PolicyEffect, Tally } from '../retention/effect.ts';
import type { PolicySummary } from '../retention/policies.ts';
import type { Policy } from '../retention/policy.ts';
import { table } from './output.ts';

/** A policy's fields, for `--json`. */
export function viewOf({ keep, holds, digest }: Policy): object {
  return {
    ok: true,
    keep: {
      default: keep.otherwise,
      rules: keep.rules.map(({ queues, directions, days }) => ({
        ...(queues && { queues }),
        ...(directions && { directions }),
        days,
      })),
    },
    holds: holds.map(({ id, recordings, tasks, callers, range }) => ({
      id,
      recordings: recordings.size,
      tasks: tasks.size,
      callers: callers.length,
      numbers: callers.map(({ number }) => number),
      days: range !== undefined,
    })),
    digest,
  };
}

/** What a policy means, a line for each rule and hold. */
export function textOf({ keep, holds }: Policy): string {
  const rules = keep.rules.map(({ queues, directions, days }) => {
    const what = [directions?.join(' or '), queues && `in ${queues.join(' or ')}`].filter(Boolean).join(' ');
    return `Calls ${what} are kept ${inWords(days)}.`;
  });
  const held = holds.map(({ id, recordings, tasks, callers, range }) => {
    const counts = [
      recordings.size > 0 && `${recordings.size} recordings`,
      tasks.size > 0 && `${tasks.size} tasks`,
      callers.length > 0 && `callers ${callers.map(({ number }) => number).join(' ')}`,
      range && `calls of ${dayOf(range.from)} to ${dayOf(range.to - 1)}`,
    ].filter(Boolean);
    return `Hold ${id}: ${counts.join(', ')}.`;
  });
  const last = rules.length > 0 ? 'All others are' : 'Recordings are';
  return [...rules, `${last} kept ${inWords(keep.otherwise)}.`, ...held].join('\n');
}

function dayOf(at: number): string {
  return Number.isFinite(at) ? new Date(at).toISOString().slice(0, 10) : 'any day';
}

/** What another policy changes, and which recordings it affects. */
export function changeText(difference: PolicyDifference, effect: PolicyEffect): string {
  const { holds, periods, queuesDropped, weaker } = difference;
  const several = (what: string, ids: readonly string[]) =>
    ids.length > 0 ? [`${what}: ${ids.join(', ')}`] : [];
  const longer = periods.filter(({ before, after }) => isShorter(before, after));
  const lines = [
    ...several('New holds', holds.come),
    ...several('Wider holds', holds.wider),
    ...under('More is kept', longer.map(lineOf)),
    ...under('Less is held or kept', weaker),
    ...several('No rule names these queues any more (were they renamed in TaskRouter?)', queuesDropped),
  ];
  return [
    ...(lines.length > 0 ? lines : ['No hold and no period changes.']),
    `Of ${effect.looked} recordings:`,
    ...tallies.map(([name, words]) => `  ${words}  ${tallyText(effect[name])}`),
  ].join('\n');
}

const under = (heading: string, lines: readonly string[]): string[] =>
  lines.length > 0 ? [`${heading}:`, ...lines.map((line) => `  ${line}`)] : [];

const tallies = [
  ['longer', 'kept longer     '],
  ['shorter', 'kept shorter    '],
  ['released', 'no longer held  '],
  ['held', 'newly held      '],
  ['due', 'to be erased now'],
] as const;

function tallyText({ count, first }: Tally): string {
  if (count === 0) return '0';
  return `${count}: ${first.join(' ')}${count > first.length ? ' …' : ''}`;
}

/** Applied policies, a line for each. */
export function historyText(policies: readonly PolicySummary[]): string {
  if (policies.length === 0) return 'No policies.';
  const rows = policies.map(({ digest, appliedAt, appliedBy, says }) => [
    appliedAt,
    digest.slice(0, 12),
    says?.rules,
    says?.holds,
    says ? inWords(says.otherwise) : 'not readable by this release',
    appliedBy,
  ]);
  return table(['APPLIED', 'DIGEST', 'RULES', 'HOLDS', 'OTHERS ARE KEPT', 'BY'], rows).join('\n');
}
