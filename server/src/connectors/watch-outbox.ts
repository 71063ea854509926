import type { Alarms } from '../alarms/alarms.ts';
import type { Db } from '../db/db.ts';
import { countOutbox, mostCounted } from './outbox-counts.ts';
import type { PauseNotes } from './pause-note.ts';
import { isUncertainFor } from './uncertain-table.ts';

export interface WatchDeps {
  db: Pick<Db, 'query'>;
  connector: string;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  notes: Pick<PauseNotes, 'read'>;
}

const hourMs = 60 * 60_000;

const numberOf = (n: number) => (n >= mostCounted ? `at least ${mostCounted}` : String(n));

/** Raises and resolves the alarms about what waits for the other system. */
export async function watchOutbox({ alarms, connector, db, notes }: WatchDeps): Promise<void> {
  const { failedContacts, oldestDueMs, states } = await countOutbox(db, connector);
  const failed = [
    ...(states.failed > 0 ? [`${numberOf(states.failed)} dead letters`] : []),
    ...(failedContacts > 0 ? [`${numberOf(failedContacts)} refused contacts`] : []),
  ];
  if (failed.length > 0) await alarms.raise('brevo_failed', undefined, failed.join(', '));
  else await alarms.resolve(['brevo_failed']);
  if (await isUncertainFor(db, connector, 24 * hourMs))
    await alarms.raise('brevo_uncertain', undefined, `${numberOf(states.uncertain)} are uncertain`);
  else await alarms.resolve(['brevo_uncertain']);
  // A pause has an alarm of its own.
  if (oldestDueMs > hourMs && !(await notes.read()))
    await alarms.raise('brevo_behind', undefined, `${Math.floor(oldestDueMs / 60_000)} minutes`);
  else if (oldestDueMs <= hourMs) await alarms.resolve(['brevo_behind']);
}
