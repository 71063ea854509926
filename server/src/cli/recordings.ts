import type { RecordingSid } from '@flex-custody/core';
import { asRecordingSid, linkStates, recordingStates } from '@flex-custody/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Listing, RecordingRow } from '../catalog/catalog.ts';
import type { Desk } from '../http/operators/desk.ts';
import { atDesk } from './at-desk.ts';

export function line(row: RecordingRow): string {
  const { recordingSid, startedAt, state, linkState, durationSeconds, failure, linkReason } = row;
  const fields = [recordingSid, startedAt.toISOString(), state.padEnd(10), linkState.padEnd(8)];
  fields.push(durationSeconds === undefined ? '     -' : `${durationSeconds} s`.padStart(6));
  return [...fields, [failure, linkReason].filter(Boolean).join(', ')].join('  ').trimEnd();
}

export async function show(desk: Desk, sid: RecordingSid): Promise<string> {
  return JSON.stringify(await desk.show(sid), undefined, 2);
}

const begins = { copy: 'it is copied again', verify: 'it is verified again', link: 'it is linked again' };

export async function retry(desk: Desk, sid: RecordingSid): Promise<string> {
  const { begun, state, linkState } = await desk.retry(sid);
  return begun.length > 0
    ? `${sid}: ${begun.map((job) => begins[job]).join(', ')}.`
    : `${sid} is ${state} and ${linkState}: nothing to retry.`;
}

export async function revokeLink(desk: Desk, sid: RecordingSid): Promise<string> {
  await desk.revokeLink(sid);
  return `${sid}: links for the older Player no longer play. A running playback goes on until its end.`;
}

export function registerRecordingCommands(program: Command): void {
  const recordings = program.command('recordings').description('what the catalog knows of recordings');
  const say = (text: string) => console.log(text);
  const list = (listing: Listing) =>
    atDesk(async (desk) => {
      const rows = await desk.list(listing);
      for (const row of rows) say(line(row));
      const last = rows.at(-1);
      if (last && rows.length === listing.limit) console.error(`More: --after ${last.recordingSid}`);
    });

  recordings
    .command('list')
    .description('newest first: SID, start, state, link, length, reason')
    .addOption(new Option('--state <state>').choices(recordingStates))
    .addOption(new Option('--link <state>').choices(linkStates))
    .option('--limit <n>', 'how many, at most 1000', count, 50)
    .option('--after <sid>', 'those behind this one', recordingSid)
    .action(
      (options: {
        state?: Listing['state'];
        link?: Listing['linkState'];
        limit: number;
        after?: RecordingSid;
      }) =>
        list({
          limit: options.limit,
          ...(options.state && { state: options.state }),
          ...(options.link && { linkState: options.link }),
          ...(options.after && { after: options.after }),
        }),
    );
  recordings
    .command('failed')
    .description('those given up, with the reason')
    .action(() => list({ state: 'failed', limit: 1_000 }));
  for (const [name, about, work] of [
    ['show', 'all that is known of one', show],
    ['retry', 'start over what failed: copy, verification or link', retry],
    ['revoke-link', 'revoke its links for the older Player', revokeLink],
  ] as const) {
    recordings
      .command(name)
      .description(about)
      .argument('<recording>', 'its SID', recordingSid)
      .action((sid: RecordingSid) => atDesk(async (desk) => say(await work(desk, sid))));
  }
}

function recordingSid(text: string): RecordingSid {
  const sid = asRecordingSid(text);
  if (!sid) throw new InvalidArgumentError('a recording is RE and 32 lower-case hexadecimal digits');
  return sid;
}

function count(text: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) < 1 || Number(text) > 1_000) {
    throw new InvalidArgumentError('a number from 1 to 1000');
  }
  return Number(text);
}
