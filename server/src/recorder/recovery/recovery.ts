import { CustodyError, errorCode, type RecordingSid } from '@flex-custody/core';
import type { RecordingPlace } from '@flex-custody/twilio';
import type { LookupCatalog } from '../../catalog/lookup-catalog.ts';
import type { OperatingCatalog } from '../../catalog/operating-catalog.ts';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { Db } from '../../db/db.ts';
import type { Run } from '../../runs/runs.ts';
import { entriesOf } from '../completeness/day-ledger.ts';
import type { Contact } from '../sessions/contact.ts';
import {
  contactsOpened,
  type KeptContact,
  keepRecovered,
  unrecoveredContacts,
} from '../sessions/kept/contacts-table.ts';
import { placesOf } from '../sessions/places-of.ts';
import { segmentsOf } from './segments-of.ts';

type Counts = Readonly<Record<string, number>>;

export interface RecoveryDeps {
  db: Pick<Db, 'query'>;
  catalog: Pick<LookupCatalog, 'ofContacts'> & Pick<OperatingCatalog, 'relink'>;
  /** Asks Twilio for the recordings of one place, and registers those that the catalog lacks. */
  takeIn(place: RecordingPlace, how: { dryRun: boolean; signal: AbortSignal }): Promise<Counts>;
  /** Sends the job that links a recording. */
  link(sid: RecordingSid): Promise<void>;
  now?: () => number;
}

/** Looks for the recordings of calls that have none, and links recordings without a task to the segments of their call. */
export interface Recovery {
  /** Long work. Options: `since`, `until` (ISO 8601; contacts that opened then), `dryRun`. */
  recover(run: Run): Promise<void>;
  /** Looks at calls that closed lately, each once; a later call continues where this one used up its requests. */
  recoverDue(signal: AbortSignal): Promise<void>;
}

/** Contacts that are read at once. */
const pageRows = 50;
/** Requests of one run of the job, so that the account's other programs can use Twilio's API. */
const mostRequests = 200;
/** Until then a recording's callback may be on its way. */
const settleMs = 20 * 60_000;
/** How far the job looks back; operators' runs look further. */
const dueMs = 3 * 24 * 60 * 60_000;

export function createRecovery(deps: RecoveryDeps): Recovery {
  const { db, now = Date.now } = deps;
  return {
    async recover(run) {
      const { options, signal } = run;
      const dryRun = options['dryRun'] === true;
      const until = options['until'] === undefined ? now() : timeOf(options['until']);
      const counts: Record<string, number> = { done: 0, lacking: 0, linked: 0, ...run.counts };
      const { openedAt = timeOf(options['since']), number = 0 } = (run.state ?? {}) as Partial<Place>;
      for (let after = { openedAt, number }; ; ) {
        const page = await contactsOpened(db, after, until, pageRows);
        await recoverSome(deps, page, { dryRun, signal, counts });
        counts['done'] = (counts['done'] ?? 0) + page.length;
        const last = page.at(-1);
        if (last) after = { openedAt: last.contact.openedAt, number: last.number };
        await run.save({ ...after }, counts);
        if (page.length < pageRows) return;
      }
    },
    async recoverDue(signal) {
      const counts: Record<string, number> = {};
      const period = { from: now() - dueMs, to: now() - settleMs };
      while ((counts['asked'] ?? 0) < mostRequests) {
        const page = await unrecoveredContacts(db, period, pageRows);
        const looked = await recoverSome(deps, page, { dryRun: false, signal, counts, most: mostRequests });
        await keepRecovered(db, looked);
        // What Twilio has not finished yet comes again with the next job.
        if (page.length < pageRows || looked.length < page.length) return;
      }
    },
  };
}

/** Where a run continues: its last contact. */
interface Place {
  openedAt: number;
  number: number;
}

interface How {
  dryRun: boolean;
  signal: AbortSignal;
  /** Adds to it. */
  counts: Record<string, number>;
  /** Asks Twilio no further after so many requests. */
  most?: number;
}

/** @returns the contacts with which it is done: neither had Twilio unfinished recordings, nor were the requests used up */
async function recoverSome(
  deps: RecoveryDeps,
  kept: readonly KeptContact[],
  { dryRun, signal, counts, most = Number.POSITIVE_INFINITY }: How,
): Promise<number[]> {
  const contacts = kept.map(({ contact }) => contact);
  const entries = await entriesOf(deps, contacts);
  const rows = await deps.catalog.ofContacts(contacts.flatMap(({ keys }) => keys));
  const done: number[] = [];
  const add = (name: string, count = 1) => {
    counts[name] = (counts[name] ?? 0) + count;
  };
  for (const { contact, number } of kept) {
    signal.throwIfAborted();
    for (const { recordingSid } of rows.filter((row) => isLinkable(row, contact))) {
      if (dryRun || (await deps.catalog.relink(recordingSid))) add('linked');
      if (!dryRun) await deps.link(recordingSid);
    }
    // A reason that an operator gave says only why nothing was found until then.
    const lacking = entries.filter(
      (one) => one.contact === contact.id && ['unexplained', 'explained'].includes(one.outcome),
    );
    add('lacking', lacking.length);
    let isFinished = true;
    for (const place of lacking.length > 0 ? placesOf(contact) : []) {
      if ((counts['asked'] ?? 0) >= most) return done;
      add('asked');
      const found = await deps.takeIn(place, { dryRun, signal }).catch(refusedOnly);
      for (const [name, count] of Object.entries(found)) add(name, count);
      if (found['underway']) isFinished = false;
    }
    if (isFinished) done.push(number);
  }
  return done;
}

/** A task's attributes can name a call that is none: the other places are still looked at. */
function refusedOnly(error: unknown): Counts {
  if (errorCode(error) !== 'twilio_refused') throw error;
  return { refused: 1 };
}

/** No task is proven for it, and it may be of a segment of this contact. */
const isLinkable = (row: RecordingRow, contact: Contact): boolean =>
  row.linkState === 'unlinked' &&
  row.taskSid === undefined &&
  row.state !== 'erased' &&
  row.state !== 'absent' &&
  [row.callSid, row.conferenceSid].some((sid) => sid !== undefined && contact.keys.includes(sid)) &&
  segmentsOf(contact, row).length > 0;

function timeOf(value: unknown): number {
  const ms = Date.parse(String(value));
  if (Number.isNaN(ms)) throw new CustodyError('request_invalid', 'a time of the recovery cannot be read');
  return ms;
}
