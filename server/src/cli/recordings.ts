import type { RecordingSid } from '@flex-custody/core';
import { asRecordingSid, linkStates, recordingStates } from '@flex-custody/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Listing, RecordingRow } from '../catalog/recording-row.ts';
import type { OperatorApi } from '../http/operators/operator-api.ts';
import { passingReasons } from '../ingest/failures.ts';
import { withOperatorApi } from './operator-api.ts';
import { noteMore, pageSize } from './pages.ts';

export function line(row: RecordingRow): string {
  const { recordingSid, startedAt, state, linkState, durationSeconds, failure, linkReason } = row;
  const fields = [recordingSid, startedAt.toISOString(), state.padEnd(10)];
  fields.push((row.proof ? 'proven' : '-').padEnd(6), linkState.padEnd(8));
  fields.push(durationSeconds === undefined ? '     -' : `${durationSeconds} s`.padStart(6));
  return [...fields, [failure, linkReason].filter(Boolean).join(', ')].join('  ').trimEnd();
}

export async function show(api: OperatorApi, sid: RecordingSid): Promise<string> {
  return JSON.stringify(await api.show(sid), undefined, 2);
}

const begins = { copy: 'it is copied again', verify: 'it is verified again', link: 'it is linked again' };

/** Whoever reads the list learns what happens next without them. */
export function failureLine(row: RecordingRow): string {
  return passingReasons.includes(row.failure ?? '') ? `${line(row)} (tried again hourly)` : line(row);
}

export async function retryAll(api: OperatorApi, reason: string | undefined): Promise<number> {
  let retried = 0;
  let after: RecordingSid | undefined;
  do {
    const done = await api.retryAll({ ...(reason && { reason }), ...(after && { after }) });
    retried += done.retried;
    after = done.next;
  } while (after);
  return retried;
}

export async function retry(api: OperatorApi, sid: RecordingSid): Promise<string> {
  const { begun, state, linkState } = await api.retry(sid);
  return begun.length > 0
    ? `${sid}: ${begun.map((job) => begins[job]).join(', ')}.`
    : `${sid} is ${state} and ${linkState}: nothing to retry.`;
}

export async function revokeLink(api: OperatorApi, sid: RecordingSid): Promise<string> {
  await api.revokeLink(sid);
  return `${sid}: links for the older Player no longer play. A running playback goes on until its end.`;
}

interface ListFlags {
  state?: Listing['state'];
  link?: Listing['linkState'];
  reason?: string;
  limit: number;
  after?: RecordingSid;
  json?: boolean;
}

export function registerRecordingCommands(program: Command): void {
  const recordings = program.command('recordings').description('what the catalog knows of recordings');
  const say = (text: string) => console.log(text);
  const list = (
    { state, link, reason, limit, after, json }: ListFlags,
    lineOf: (row: RecordingRow) => string,
    none: string,
  ) =>
    withOperatorApi(async (api) => {
      const of = {
        ...(state && { state }),
        ...(link && { linkState: link }),
        ...(reason && { failure: reason }),
      };
      const rows = await api.list({ ...of, limit, ...(after && { after }) });
      if (json) say(JSON.stringify(rows, undefined, 2));
      else if (rows.length === 0) say(none);
      else for (const row of rows) say(lineOf(row));
      await noteMore(
        rows,
        limit,
        ({ recordingSid }) => recordingSid,
        ({ recordingSid }) => api.listBehind({ ...of, after: recordingSid }),
      );
    });
  const paged = (command: Command) =>
    command
      .option('--reason <code>', 'only what failed for it, such as media_short', reasonCode)
      .option('--limit <n>', 'how many, at most 1000', pageSize, 50)
      .option('--after <sid>', 'those behind this one', recordingSid)
      .option('--json', 'as a list of all that is known');

  paged(recordings.command('list'))
    .description('newest first: SID, start, state, whether it is proven, link, length, reason')
    .addOption(new Option('--state <state>').choices(recordingStates))
    .addOption(new Option('--link <state>').choices(linkStates))
    .action((flags: ListFlags) => list(flags, line, 'No recordings.'));
  paged(recordings.command('failed'))
    .description('the dead letters: those given up, with the reason')
    .action((flags: ListFlags) => list({ ...flags, state: 'failed' }, failureLine, 'No failed recordings.'));
  recordings
    .command('retry')
    .description('start over what failed: copy, verification or link')
    .argument('[recording]', 'its SID', recordingSid)
    .option('--all', 'every dead letter')
    .option('--reason <code>', 'with --all: only what failed for it', reasonCode)
    .option('--json', '{retried}, in recordings')
    .action((sid: RecordingSid | undefined, flags: { all?: boolean; reason?: string; json?: boolean }) => {
      if ((sid === undefined) !== (flags.all === true) || (sid && flags.reason))
        throw new InvalidArgumentError(
          'name a recording, or give --all (and --reason, if only some are meant)',
        );
      return withOperatorApi(async (api) => {
        if (sid && !flags.json) return say(await retry(api, sid));
        const retried = sid
          ? Math.min(1, (await api.retry(sid)).begun.length)
          : await retryAll(api, flags.reason);
        say(flags.json ? JSON.stringify({ retried }) : `${retried} dead letters are started over.`);
      });
    });
  recordings
    .command('show')
    .description('all that is known of one, as JSON')
    .argument('<recording>', 'its SID', recordingSid)
    .option('--json', 'as it is without')
    .action((sid: RecordingSid) => withOperatorApi(async (api) => say(await show(api, sid))));
  recordings
    .command('revoke-link')
    .description('revoke its links for the older Player')
    .argument('<recording>', 'its SID', recordingSid)
    .action((sid: RecordingSid) => withOperatorApi(async (api) => say(await revokeLink(api, sid))));
}

function reasonCode(text: string): string {
  if (!/^[a-z0-9_]{1,64}$/.test(text))
    throw new InvalidArgumentError('a reason is a code such as media_short');
  return text;
}

function recordingSid(text: string): RecordingSid {
  const sid = asRecordingSid(text);
  if (!sid) throw new InvalidArgumentError('a recording is RE and 32 lower-case hexadecimal digits');
  return sid;
}
