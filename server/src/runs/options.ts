import { asRecordingSid, asTaskSid, CustodyError } from '@flex-custody/core';
import { z } from 'zod';
import type { Json, Work } from './runs.ts';

/** Long work whose options are checked before it begins. */
export type CheckedWork = Work & {
  /** @throws CustodyError `request_invalid` (400) that names each option at fault, without its value */
  check(options: Json): void;
};

const time = z.string().refine((text) => !Number.isNaN(Date.parse(text)));
const text = z.string().min(1).max(2_048);
const yes = z.boolean().optional();
const sids = (as: (value: unknown) => unknown) =>
  z.array(z.string().refine((value) => as(value) !== undefined)).optional();

/** The options of each work, by its name. Other options are refused: with a misspelled `dryRun` the work would erase. */
const schemas = {
  reconcile: z.strictObject({
    since: time,
    until: time.optional(),
    dryRun: yes,
    settledMs: z.int().min(0).optional(),
    withoutBucket: yes,
  }),
  rebuild: z.strictObject({ dryRun: yes, acceptUnsigned: yes }),
  'rotate-keys': z.strictObject({ from: text.optional(), verify: yes, dryRun: yes }),
  erase: z
    .strictObject({
      recordings: sids(asRecordingSid),
      tasks: sids(asTaskSid),
      callers: z.array(text).optional(),
      reference: text.optional(),
      dryRun: yes,
    })
    .refine(({ recordings, tasks, callers }) => recordings ?? tasks ?? callers, { path: ['recordings'] }),
  retention: z.strictObject({ dryRun: yes, yes, all: yes }),
  'sign-sidecars': z.strictObject({ again: yes }),
  'recorder-setup': z.strictObject({
    kinesis: z.strictObject({ arn: text, roleArn: text.optional(), externalId: text.optional() }).optional(),
    remove: yes,
    dryRun: yes,
  }),
  recover: z.strictObject({ since: time, until: time.optional(), dryRun: yes }),
  repair: z.strictObject({ since: time, until: time.optional(), dryRun: yes }),
  'short-calls': z.strictObject({ dryRun: yes, yes }),
  'connector-test': z.strictObject({ since: time.optional(), createAttributes: yes, sendEvent: yes }),
  'connector-sync': z
    .strictObject({
      connector: z.enum(['brevo']),
      type: z.enum(['incremental', 'full']).optional(),
      resources: z
        .array(z.enum(['tasks', 'conversations']))
        .min(1)
        .optional(),
      since: time.optional(),
      channels: z
        .array(z.enum(['voice', 'sms', 'whatsapp', 'webchat', 'other']))
        .min(1)
        .optional(),
      dryRun: yes,
    })
    .refine(({ type, since }) => type !== 'full' || since !== undefined, { path: ['since'] }),
  import: z.strictObject({
    from: text,
    endpoint: text.optional(),
    region: text.optional(),
    dryRun: yes,
    deletePlain: yes,
    repairHeader: yes,
  }),
} satisfies Record<string, z.ZodType>;

export function checkedWork(name: keyof typeof schemas, work: Work): CheckedWork {
  const check = (options: Json) => {
    const { error } = schemas[name].safeParse(options);
    if (!error) return;
    const wrong = error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys' ? issue.keys : String(issue.path[0] ?? 'options'),
    );
    throw new CustodyError(
      'request_invalid',
      `options of ${name} at fault: ${[...new Set(wrong)].join(', ')}`,
    );
  };
  return Object.assign((run: Parameters<Work>[0]) => work(run), { check });
}
