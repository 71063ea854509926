import type { RecordingSid } from '@flex-custody/core';
import type { KeepingCatalog } from '../../catalog/keeping-catalog.ts';
import type { RecordingRow, ShortSession } from '../../catalog/recording-row.ts';
import type { Page } from '../../retention/expired.ts';
import type { Kept } from '../../retention/may-destroy.ts';
import type { Json } from '../../runs/runs.ts';
import type { Contact } from '../sessions/contact.ts';
import { type ConfirmDeps, isShortByHistory } from './confirm.ts';
import type { Again, Evidence, Judged } from './judge.ts';
import { type LookDeps, lookAtShort } from './look-at-short.ts';
import {
  beforeAllShort,
  type Look,
  type ShortPlace,
  type ShortRow,
  setLooks,
  shortContacts,
} from './short-table.ts';

export interface PageDeps extends LookDeps, ConfirmDeps {
  db: LookDeps['db'];
  catalog: LookDeps['catalog'] & Pick<KeepingCatalog, 'now'>;
}

/** What a run found out about a recording's call. */
export interface Due {
  number: number;
  contact: Contact;
  session: ShortSession;
}

export interface Scope {
  settings: Evidence['settings'];
  /** Contacts that are to be looked at by then. Undefined, of a dry run: all that are short, and nothing is noted. */
  until: Date | undefined;
  /** Filled with what is due of the page. */
  due: Map<RecordingSid, Due>;
  /** Filled by the caller with contacts of the page of which a recording stays, and why. */
  stays: Map<number, string>;
  signal: AbortSignal;
}

/** Contacts of one page. */
const pageRows = 100;
const hourMs = 60 * 60_000;
export const dayMs = 24 * hourMs;
/** TaskRouter's history of an older call has no attributes any more. */
const mostDays = 30;

/** The recordings that are due, page by page. What was found of each contact is noted once its page was erased. */
export async function* shortPages(
  deps: PageDeps,
  { settings, until, due, stays, signal }: Scope,
  from: ShortPlace,
): AsyncGenerator<Page> {
  for await (const { judged, after } of judgedPages(deps, settings, until, from)) {
    const rows: RecordingRow[] = [];
    const kept = new Map<string, Kept>();
    due.clear();
    stays.clear();
    const looks: typeof judged = [];
    for (const one of judged) {
      signal.throwIfAborted();
      const { number, contact } = one.of;
      const why = one.kept ?? (one.due && (await contradictionBy(deps, one.of, settings, signal)));
      looks.push({ ...one, ...(why && { kept: why }) });
      if (why) kept.set(contact.id, why);
      else if (one.due)
        for (const row of one.due.recordings) {
          rows.push(row);
          due.set(row.recordingSid, { number, contact, session: one.due.session });
        }
    }
    yield { rows, kept, mark: { after } };
    if (until === undefined) continue;
    const now = (await deps.catalog.now()).getTime();
    await setLooks(
      deps.db,
      looks.map((one) => lookOf(one, stays.get(one.of.number), now)),
    );
  }
}

/** Contacts that are due for a look, as the database has them. */
export async function* judgedPages(
  deps: LookDeps,
  settings: Evidence['settings'],
  until: Date | undefined,
  from: ShortPlace,
): AsyncGenerator<{ judged: (Judged & { of: ShortRow })[]; after: ShortPlace }> {
  for (let after = from; ; ) {
    const found = await shortContacts(deps.db, after, until, pageRows);
    const last = found.at(-1);
    if (!last) return;
    after = { at: last.at, number: last.number };
    yield { judged: await lookAtShort(deps, found, settings), after };
    if (found.length < pageRows) return;
  }
}

async function contradictionBy(
  deps: PageDeps,
  of: ShortRow,
  { minimumSeconds }: Evidence['settings'],
  signal: AbortSignal,
): Promise<Kept | undefined> {
  const isShort = await isShortByHistory(deps, of, minimumSeconds, await deps.catalog.now(), signal);
  if (isShort === true) return undefined;
  return isShort === 'unknown'
    ? { why: 'unconfirmed', detail: 'its events are no longer kept' }
    : { why: 'disputed', detail: "TaskRouter's own history of the call does not say that it was short" };
}

/** What is noted of a contact, and when it is looked at again: a recording can be registered long after its call. */
function lookOf(
  { kept, again, of: { number, contact } }: Judged & { of: ShortRow },
  stays: string | undefined,
  now: number,
): Look {
  const age = now - (contact.closedAt ?? 0);
  // Of what changed while it was being deleted, the next run decides.
  const next: Again = stays === 'changed' || stays === 'unconfirmed' ? 'soon' : again;
  const waits: Record<Again, number> = { soon: 0, later: age < dayMs ? hourMs : dayMs };
  return {
    number,
    kept: kept?.why ?? stays ?? null,
    again: age > mostDays * dayMs ? null : new Date(now + waits[next]),
  };
}

/** The first place if there is no mark. */
export function placeIn(mark: Readonly<Json> | undefined): ShortPlace {
  const { at, number } = (mark?.['after'] ?? {}) as Record<string, unknown>;
  return typeof at === 'string' && typeof number === 'number' ? { at, number } : beforeAllShort;
}
