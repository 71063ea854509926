import type { LookupCatalog } from '../../catalog/lookup-catalog.ts';
import type { Marks } from '../../catalog/marks.ts';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { Db } from '../../db/db.ts';
import type { DataSources } from '../data-source/data-source.ts';
import { createVersions } from '../data-source/versions.ts';
import { completePeriod } from '../repair/complete.ts';
import type { Contact } from '../sessions/contact.ts';
import { contactsOfKeys } from '../sessions/kept/contacts-table.ts';
import { nextUnread } from '../sessions/kept/follow-inbox.ts';
import { type Evidence, type Judged, judgeShort, marginMs } from './judge.ts';
import { unreadAmong } from './short-table.ts';

export interface LookDeps {
  db: Pick<Db, 'query'>;
  catalog: Pick<LookupCatalog, 'ofContacts'> & Pick<Marks, 'mark'>;
  dataSource: Pick<DataSources, 'current'>;
}

/** Undefined while a change of the settings reaches this process: within seconds it has. */
export async function minimumLength({
  db,
  dataSource,
}: Pick<LookDeps, 'db' | 'dataSource'>): Promise<Evidence['settings'] | undefined> {
  const [current, newest] = await Promise.all([dataSource.current(), createVersions(db).current()]);
  if (current?.version !== newest?.version) return undefined;
  return { version: current?.version ?? 0, minimumSeconds: current?.settings.minimumSessionSeconds ?? 0 };
}

const sidsOf = ({ recordingSid, taskSid, reservationSid, callSid, conferenceSid }: RecordingRow): string[] =>
  [recordingSid, taskSid, reservationSid, callSid, conferenceSid].filter((sid) => sid !== undefined);

/** Judges contacts by what the database has of them now. */
export async function lookAtShort<C extends { number: number; contact: Contact }>(
  { db, catalog }: LookDeps,
  contacts: readonly C[],
  settings: Evidence['settings'],
): Promise<(Judged & { of: C })[]> {
  if (contacts.length === 0) return [];
  const keys = contacts.flatMap(({ contact }) => contact.keys);
  const [complete, recordings, unread, next] = await Promise.all([
    completePeriod(catalog),
    catalog.ofContacts(keys),
    unreadAmong(db, keys),
    nextUnread(db),
  ]);
  const owners = await contactsOfKeys(db, [...new Set(recordings.flatMap(sidsOf))]);
  return contacts.map((of) => {
    const { number, contact } = of;
    const own = new Set(contact.keys);
    const until = (contact.closedAt ?? 0) + marginMs;
    return {
      ...judgeShort(contact, {
        ...{ settings, complete },
        isRead:
          (next === undefined || next.getTime() >= until) && !contact.keys.some((key) => unread.has(key)),
        recordings: recordings.filter((row) => sidsOf(row).some((sid) => own.has(sid))),
        isShared: (row) => sidsOf(row).some((sid) => (owners.get(sid) ?? number) !== number),
      }),
      of,
    };
  });
}
