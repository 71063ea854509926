import type { RecordingSid } from '@flex-custody/core';
import { asRecordingSid, linkStates, recordingStates } from '@flex-custody/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Listing, RecordingRow } from '../catalog/recording-row.ts';
import type { OperatorApi, Retried } from '../http/operators/operator-api.ts';
import { passingReasons } from '../ingest/failures.ts';
import { withOperatorApi } from './operator-api.ts';
import { printJson, table } from './output.ts';
import { pageSize, printPage } from './pages.ts';

const headers = ['RECORDING', 'STARTED', 'STATE', 'PROVEN', 'LINK', 'SECONDS', 'REASON'];

/** A table; it marks the failed recordings that the host itself retries. */
export const listText = (rows: readonly RecordingRow[]): string =>
  table(
    headers,
    rows.map(({ recordingSid, startedAt, state, proof, linkState, durationSeconds, failure, linkReason }) => {
      const reasons = [failure, linkReason].filter(Boolean).join(', ');
      const isTried = state === 'failed' && passingReasons.includes(failure ?? '');
      const reason = isTried ? `${reasons} (tried again hourly)` : reasons || undefined;
      return [recordingSid, startedAt, state, proof ? 'yes' : undefined, linkState, durationSeconds, reason];
    }),
  ).join('\n');

const begins = { copy: 'it is copied again', verify: 'it is verified again', link: 'it is linked again' };

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

export function retryText(sid: RecordingSid, { begun, state, linkState }: Retried): string {
  return begun.length > 0
    ? `${sid}: ${begun.map((job) => begins[job]).join(', ')}.`
    : `${sid} is ${state} and ${linkState}: nothing to retry.`;
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
  const recordings = program.command('recordings').description('list, show and retry recordings');
  const list = ({ state, link, reason, limit, after, json }: ListFlags, none: string) =>
    withOperatorApi(async (api) => {
      const of = {
        ...(state && { state }),
        ...(link && { linkState: link }),
        ...(reason && { failure: reason }),
      };
      const rows = await api.list({ ...of, limit, ...(after && { after }) });
      await printPage({
        rows,
        limit,
        idOf: ({ recordingSid }) => recordingSid,
        behind: ({ recordingSid }) => api.listBehind({ ...of, after: recordingSid }),
        json,
        text: () => (rows.length === 0 ? none : listText(rows)),
      });
    });
  const paged = (command: Command) =>
    command
      .option('--reason <code>', 'only those that failed with this code, such as media_short', reasonCode)
      .option('--limit <n>', 'how many, at most 1000', pageSize, 50)
      .option('--after <sid>', 'those after this one', recordingSid)
      .option('--json', 'as an array, with all that the catalog has of each');

  paged(recordings.command('list'))
    .description('list recordings, newest first')
    .addOption(new Option('--state <state>').choices(recordingStates))
    .addOption(new Option('--link <state>').choices(linkStates))
    .action((flags: ListFlags) => list(flags, 'No recordings.'));
  paged(recordings.command('failed'))
    .description('list recordings that failed for good (dead letters), with the reason')
    .action((flags: ListFlags) => list({ ...flags, state: 'failed' }, 'No failed recordings.'));
  recordings
    .command('retry')
    .description('start failed work over: copy, verification or link')
    .argument('[recording]', 'its SID', recordingSid)
    .option('--all', 'every failed recording')
    .option('--reason <code>', 'with --all: only those that failed with this code', reasonCode)
    .option('--json', '{retried}, a number of recordings')
    .action((sid: RecordingSid | undefined, flags: { all?: boolean; reason?: string; json?: boolean }) => {
      if ((sid === undefined) !== (flags.all === true) || (sid && flags.reason))
        throw new InvalidArgumentError(
          'name a recording, or give --all (and --reason, if only some are meant)',
        );
      return withOperatorApi(async (api) => {
        const one = sid && (await api.retry(sid));
        const retried = one ? Math.min(1, one.begun.length) : await retryAll(api, flags.reason);
        if (flags.json) printJson({ retried });
        else if (sid && one) console.log(retryText(sid, one));
        else console.log(retried === 0 ? 'No failed recordings.' : `${retried} recordings are started over.`);
      });
    });
  recordings
    .command('show')
    .description('print all that the catalog has of one recording, as JSON')
    .argument('<recording>', 'its SID', recordingSid)
    .option('--json', 'changes nothing: the output is JSON in any case')
    .action((sid: RecordingSid) => withOperatorApi(async (api) => printJson(await api.show(sid))));
  recordings
    .command('revoke-link')
    .description('revoke its links for the older Player')
    .argument('<recording>', 'its SID', recordingSid)
    .option('--json', '{recording, generation}')
    .action((sid: RecordingSid, { json }: { json?: boolean }) =>
      withOperatorApi(async (api) => {
        const { generation } = await api.revokeLink(sid);
        if (json) printJson({ recording: sid, generation });
        else
          console.log(
            `${sid}: links for the older Player no longer play. A playback that has begun may finish.`,
          );
      }),
    );
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
