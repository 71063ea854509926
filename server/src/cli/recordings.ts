import { asRecordingSid, CustodyError, type RecordingSid } from '@flex-custody/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Catalog, createCatalog, type Listing, type RecordingRow } from '../catalog/catalog.ts';
import { loadConfig } from '../config.ts';
import { type Db, migrate, openDatabase } from '../db.ts';
import { openQueue, type Queue } from '../queue/queue.ts';

/** What a command does with the catalog; the text is for the terminal. */
export interface Desk {
  catalog: Catalog;
  queue: Pick<Queue, 'send'>;
}

export function line(row: RecordingRow): string {
  const { recordingSid, startedAt, state, linkState, durationSeconds, failure, linkReason } = row;
  const fields = [recordingSid, startedAt.toISOString(), state.padEnd(10), linkState.padEnd(8)];
  fields.push(durationSeconds === undefined ? '     -' : `${durationSeconds} s`.padStart(6));
  return [...fields, [failure, linkReason].filter(Boolean).join(', ')].join('  ').trimEnd();
}

export async function show(desk: Desk, sid: RecordingSid): Promise<string> {
  return JSON.stringify(await known(desk, sid), undefined, 2);
}

/** Starts over what failed; of one that is only not linked, the link. */
export async function retry(desk: Desk, sid: RecordingSid): Promise<string> {
  const row = await known(desk, sid);
  const done: string[] = [];
  if (row.state === 'failed' && (await desk.catalog.replayed(sid))) row.state = 'registered';
  if (row.state === 'registered') {
    await desk.queue.send('copy', { recordingSid: sid }, { once: `retry:${sid}` });
    done.push('it is copied again');
  }
  if (row.state === 'sealed') {
    await desk.queue.send('verify', { recordingSid: sid }, { once: `retry:${sid}` });
    done.push('it is verified again');
  }
  if (row.linkState === 'pending') {
    await desk.queue.send('link', { recordingSid: sid }, { once: `retry:${sid}` });
    done.push('it is linked again');
  }
  return done.length > 0
    ? `${sid}: ${done.join(', ')}.`
    : `${sid} is ${row.state} and ${row.linkState}: nothing to retry.`;
}

export async function revokeLink(desk: Desk, sid: RecordingSid): Promise<string> {
  await known(desk, sid);
  await desk.catalog.bumpSegmentGeneration(sid);
  return `${sid}: links for the older Player no longer play. A running playback goes on until its end.`;
}

async function known(desk: Desk, sid: RecordingSid): Promise<RecordingRow> {
  const row = await desk.catalog.find(sid);
  if (!row) throw new CustodyError('recording_unknown', `${sid} is not in the catalog`, { status: 404 });
  return row;
}

export function registerRecordingCommands(program: Command): void {
  const recordings = program.command('recordings').description('what the catalog knows of recordings');
  const say = (text: string) => console.log(text);
  const states = ['registered', 'copying', 'sealed', 'verified', 'failed', 'absent'];
  const list = (listing: Listing) =>
    atDesk(async ({ catalog }) => {
      const rows = await catalog.list(listing);
      for (const row of rows) say(line(row));
      const last = rows.at(-1);
      if (last && rows.length === listing.limit) console.error(`More: --after ${last.recordingSid}`);
    });

  recordings
    .command('list')
    .description('newest first: SID, start, state, link, length, reason')
    .addOption(new Option('--state <state>').choices(states))
    .addOption(new Option('--link <state>').choices(['pending', 'linked', 'unlinked', 'refused']))
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

async function atDesk(work: (desk: Desk) => Promise<void>): Promise<void> {
  const config = loadConfig();
  const db: Db = await openDatabase(config.database);
  const queue = openQueue(db);
  try {
    await migrate(db);
    await work({ catalog: createCatalog(db), queue });
  } finally {
    await queue.stop(0);
    await db.close();
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
