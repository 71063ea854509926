import { createHash } from 'node:crypto';
import {
  asRecordingSid,
  asTaskSid,
  type CallDirection,
  CustodyError,
  callDirections,
  type RecordingSid,
  type TaskSid,
} from '@flex-custody/core';
import { z } from 'zod';
import { isOpenToOthers, readPrivateFile } from '../config/private-file.ts';
import { systemCode } from '../config/system-code.ts';
import { asTyped } from './numbers.ts';
import { readYaml } from './policy-faults.ts';
import { queueKey, tidyQueue } from './queue-names.ts';

const number = 'must be a number of days, or forever';
const days = z
  .union([z.literal('forever'), z.int().min(1, { error: number }).max(36_500, { error: number })], {
    error: number,
  })
  .describe('Days from the start of the call, or forever.');
const day = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, { error: 'must be a day: year-month-day, all in digits' })
  // The engine reads 2026-02-30 as 2 March, so the hold would cover other days than those written.
  .refine(isDay, { error: 'is not a day of the calendar' });
const several = <T extends z.ZodType>(item: T) => z.union([item, z.array(item).min(1)]);
const sid = (prefix: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}[0-9a-f]{32}$`), { error: `must be ${prefix} and 32 hexadecimal digits` });

const rule = z
  .strictObject({
    queue: several(
      z
        .string()
        .min(1)
        .refine((name) => queueKey(name) !== '', { error: 'is blank' }),
    )
      .optional()
      .describe(
        "Name of the task's queue, or names. Case, Unicode form, blanks at the ends and the kind of spaces make no difference.",
      ),
    direction: several(z.enum(callDirections)).optional(),
    days,
  })
  .refine(({ queue, direction }) => queue !== undefined || direction !== undefined, {
    error: 'must name a queue or a direction; keep.default applies to all others',
  });

const hold = z
  .strictObject({
    id: z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/, { error: 'must be 1 to 64 of A-Z a-z 0-9 _ . -' }),
    reason: z.string().max(500).optional().describe('For people. It is never logged.'),
    recordings: z.array(sid('RE')).min(1).optional(),
    tasks: z.array(sid('WT')).min(1).optional(),
    callers: z
      .array(
        z
          .string()
          .regex(/^\+[0-9][0-9 ()./-]{4,30}$/, {
            error: 'must be in international form with + and the country code, in quotation marks',
            abort: true,
          })
          .refine((text) => asTyped(text) !== undefined, {
            error: 'is not a number that its country assigns: it would hold nothing',
          }),
      )
      .min(1)
      .optional()
      .describe('Numbers with country code; quote them, or YAML removes the +.'),
    from: day.optional().describe('First day of a range of call starts, UTC.'),
    until: day.optional().describe('Last day of it, UTC, inclusive.'),
  })
  .refine(({ recordings, tasks, callers, from, until }) => recordings ?? tasks ?? callers ?? from ?? until, {
    error: 'holds nothing: name recordings, tasks, callers, or days',
  })
  .refine(({ from, until }) => !from || !until || from <= until, { error: 'ends before it begins' });

/** The policy file's schema; docs/policy.schema.json is made of it. */
export const policySchema = z.strictObject({
  version: z.literal(1, { error: 'must be 1: a newer file needs the newer release' }),
  keep: z
    .strictObject({
      default: days.default('forever'),
      rules: z.array(rule).default([]).describe('The first rule that fits decides.'),
    })
    .default({ default: 'forever', rules: [] }),
  holds: z
    .array(hold)
    .default([])
    .refine((all) => new Set(all.map(({ id }) => id)).size === all.length, {
      error: 'must not name an id twice',
    }),
});

export type Days = number | 'forever';

export interface KeepRule {
  /** Queue names as written, for display. */
  queues?: readonly string[];
  /** Keys of the queue names, for comparison. */
  queueKeys?: readonly string[];
  directions?: readonly CallDirection[];
  days: Days;
}

export interface HeldCaller {
  /** E.164, for comparison. */
  number: string;
  written: string;
}

export interface Hold {
  id: string;
  recordings: ReadonlySet<RecordingSid>;
  tasks: ReadonlySet<TaskSid>;
  callers: readonly HeldCaller[];
  /** Epoch ms, the end exclusive; undefined if the hold names no days. */
  range?: { from: number; to: number };
}

export interface Policy {
  keep: { otherwise: Days; rules: readonly KeepRule[] };
  holds: readonly Hold[];
  /** SHA-256 of the file, which identifies the version that a decision was based on. */
  digest: string;
}

const dayMs = 24 * 60 * 60_000;

function isDay(text: string): boolean {
  const at = new Date(text);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

const listed = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T]);

/**
 * Reads a policy file's text.
 * @throws CustodyError `policy_invalid` with one line for each fault, which quotes nothing of the text
 */
export function readPolicy(text: string): Policy {
  const yaml = readYaml(text);
  if (typeof yaml === 'string') throw invalid([yaml]);
  const parsed = policySchema.safeParse(yaml.value ?? {});
  if (!parsed.success) throw invalid(yaml.faultsOf(parsed.error.issues));
  const { keep, holds } = parsed.data;
  return {
    keep: {
      otherwise: keep.default,
      rules: keep.rules.map((one) => ({
        ...(one.queue !== undefined && {
          queues: listed(one.queue).map(tidyQueue),
          queueKeys: listed(one.queue).map(queueKey),
        }),
        ...(one.direction !== undefined && { directions: listed(one.direction) }),
        days: one.days,
      })),
    },
    holds: holds.map((one) => ({
      id: one.id,
      recordings: new Set((one.recordings ?? []).flatMap((value) => asRecordingSid(value) ?? [])),
      tasks: new Set((one.tasks ?? []).flatMap((value) => asTaskSid(value) ?? [])),
      callers: (one.callers ?? []).map((written) => ({ number: asTyped(written) ?? written, written })),
      ...((one.from ?? one.until) !== undefined && {
        range: {
          from: one.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(one.from),
          to: one.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(one.until) + dayMs,
        },
      }),
    })),
    digest: createHash('sha256').update(text).digest('hex'),
  };
}

/** If no policy was ever applied, all recordings are kept, and none is held. */
export const noPolicy: Policy = { keep: { otherwise: 'forever', rules: [] }, holds: [], digest: 'none' };

/**
 * Reads the text of a policy file without checking it. A file that other users may write is refused: they could lift
 * holds, or have everything erased.
 * @throws CustodyError `policy_invalid` if it cannot be read, or if others may write it
 */
export function readPolicyFile(file: string): string {
  try {
    return readPrivateFile(file, 'write');
  } catch (error) {
    if (isOpenToOthers(error)) throw invalid([error.message]);
    const code = systemCode(error);
    throw invalid([
      `${file} ${code === 'ENOENT' ? 'does not exist' : `cannot be read (${code || 'unknown error'})`}`,
    ]);
  }
}

function invalid(faults: readonly string[]): CustodyError {
  return new CustodyError('policy_invalid', faults.map((fault) => `the policy file: ${fault}`).join('\n'));
}
