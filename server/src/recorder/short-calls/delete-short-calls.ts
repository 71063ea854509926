import { isDeepStrictEqual } from 'node:util';
import { CustodyError, type RecordingSid } from '@flex-custody/core';
import { brake } from '../../retention/brake.ts';
import { holdsOn } from '../../retention/decide.ts';
import { erase, type KeepingDeps } from '../../retention/erase.ts';
import type { Kept } from '../../retention/may-destroy.ts';
import type { Run } from '../../runs/runs.ts';
import { readContacts } from '../sessions/kept/contacts-table.ts';
import { lookAtShort, minimumLength } from './look-at-short.ts';
import {
  type Due,
  dayMs,
  judgedPages,
  type PageDeps,
  placeIn,
  type Scope,
  shortPages,
} from './short-pages.ts';
import { deletedSince, disputedCalls, type ShortPlace, usualOfDay } from './short-table.ts';

export type ShortCallDeps = KeepingDeps & PageDeps;

const markName = 'short-calls';

/**
 * Deletes the audio of the calls that were shorter than the data source's minimum length. It counts first, and stops if
 * there are far more than usual. Options: `dryRun` shows all that are short, also those that are set aside; `yes` deletes
 * however many there are.
 * @throws CustodyError `retention_braked`, `clock_differs`, `policy_invalid`, or as Twilio, bucket and database do
 */
export async function deleteShortCalls(deps: ShortCallDeps, run: Run): Promise<void> {
  const { alarms, catalog, db } = deps;
  const { dryRun = false, yes = false } = run.options as Record<string, boolean>;
  const settings = await minimumLength(deps);
  if (!settings || settings.minimumSeconds === 0) {
    const why = settings ? '0: no call is short' : 'it is being changed: run the command again';
    return run.save({ notes: { minimumSessionSeconds: why } }, {});
  }
  const due = new Map<RecordingSid, Due>();
  const stays = new Map<number, string>();
  const scope = { settings, due, stays, signal: run.signal, until: dryRun ? undefined : await catalog.now() };
  const disputedBefore = (await disputedCalls(db)).count;
  await erase(deps, run, {
    pages: (mark) => shortPages(deps, scope, placeIn(mark)),
    isDue: () => true,
    why({ recordingSid }) {
      const was = due.get(recordingSid);
      return {
        reason: 'short-session',
        ...(was && { session: was.session }),
        stillDue: () => stillDue(deps, was),
        async stays(_row, why) {
          if (was) stays.set(was.number, why);
        },
      };
    },
    about({ recordingSid }) {
      const { session } = due.get(recordingSid) ?? {};
      return session ? `: ${session.id} lasted ${session.seconds} s` : '';
    },
    dryRun,
    async beforeAll(mark) {
      if (dryRun || yes) return;
      const braked = await brakeOf(deps, await countDue(deps, scope, placeIn(mark)));
      if (braked === undefined) return alarms.resolve(['short_braked']);
      await alarms.raise('short_braked', undefined, braked);
      throw new CustodyError('retention_braked', braked);
    },
  });
  if (dryRun) return;
  if (yes) await catalog.setMark(markName, { allowedAt: (await catalog.now()).toISOString() });
  const disputed = await disputedCalls(db);
  if (disputed.count === 0) await alarms.resolve(['short_disputed']);
  // An operator may have cleared the alarm: only a further call raises it again.
  else if (disputed.count > disputedBefore)
    await alarms.raise('short_disputed', undefined, `${disputed.count} calls, such as ${disputed.one}`);
}

/** Undefined if the call is short as it was when TaskRouter's history confirmed it, by what the database has now. */
async function stillDue(deps: ShortCallDeps, was: Due | undefined): Promise<Kept | undefined> {
  const settings = await minimumLength(deps);
  const changed = { why: 'changed', detail: 'its events or the settings have changed meanwhile' };
  if (!was || settings?.version !== was.session.settings) return changed;
  const [now] = await lookAtShort(deps, await readContacts(deps.db, [was.number]), settings);
  if (now?.kept) return now.kept;
  return now?.due && isDeepStrictEqual(now.of.contact, was.contact) ? undefined : changed;
}

/** How many recordings would be erased, without those under a hold; TaskRouter is not asked. */
async function countDue(
  deps: ShortCallDeps,
  { settings, until }: Pick<Scope, 'settings' | 'until'>,
  from: ShortPlace,
): Promise<number> {
  const policy = await deps.policies.inForce();
  let count = 0;
  for await (const { judged } of judgedPages(deps, settings, until, from)) {
    const rows = judged.flatMap(({ due }) => due?.recordings ?? []);
    count += rows.filter((row) => holdsOn(policy, row, deps.callerDigest).length === 0).length;
  }
  return count;
}

/**
 * The brake of retention, by the day: the job runs every five minutes, so that a mistake in the settings would pass it in
 * small numbers. What an operator has allowed is not counted.
 */
async function brakeOf({ catalog, db }: ShortCallDeps, due: number): Promise<string | undefined> {
  if (due === 0) return undefined;
  const now = await catalog.now();
  const dayAgo = new Date(now.getTime() - dayMs);
  const allowed = new Date(String((await catalog.mark(markName))?.['allowedAt']));
  const [before, mean] = await Promise.all([
    deletedSince(db, allowed > dayAgo ? allowed : dayAgo),
    usualOfDay(db, dayAgo),
  ]);
  return brake(catalog, due + before, {
    ...{ mean, command: 'flex-custody recorder short --yes' },
  });
}
