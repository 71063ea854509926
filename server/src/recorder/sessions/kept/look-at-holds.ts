import { asConferenceSid, type ConferenceSid, CustodyError, errorCode } from '@flex-custody/core';
import type { LegHold, TwilioLive } from '@flex-custody/twilio';
import type { Db } from '../../../db/db.ts';
import { ownTypes } from '../../../events/event-types.ts';
import type { Inbox } from '../../../events/inbox.ts';
import { ownEvent } from '../../../events/own-event.ts';
import { type ClockDeps, readClock } from '../../../retention/clock.ts';
import type { Contact } from '../contact.ts';
import { unfinishedContacts } from './contacts-table.ts';

export interface HoldLookDeps {
  db: Pick<Db, 'query'>;
  inbox: Pick<Inbox, 'take'>;
  catalog: ClockDeps['catalog'];
  twilio: Pick<TwilioLive, 'holds'> & ClockDeps['twilio'];
  log: { warn(fields: object, message: string): void };
  /** Epoch ms. */
  now?: () => number;
  /** Conferences of one tick; 200 by default. */
  mostLooks?: number;
}

/** Contacts that one query reads. */
const pageRows = 200;
/** An older contact is open because its end was lost, and its conference is over. */
const longestMs = 24 * 3_600_000;

/**
 * Looks at the conferences of open calls, some at each tick, and puts what Twilio says of their legs into the inbox where the contact has
 * it otherwise: so a hold is known although no event and no report of it arrived. Nothing depends on one look, so an error of Twilio
 * ends it with a line in the log, and the next tick continues.
 */
export function holdLooks(deps: HoldLookDeps): (signal: AbortSignal) => Promise<void> {
  const { db, inbox, twilio, log, now = Date.now, mostLooks = 200 } = deps;
  /** The contact after which the next tick continues, if this one could not look at all of them. */
  let after = 0;
  return async (signal) => {
    const at = now();
    let looks = 0;
    try {
      // A hold would begin at a time that is wrong.
      const { differs } = await readClock(deps);
      if (differs !== undefined) throw new CustodyError('clock_differs', differs);
      for (;;) {
        const page = await unfinishedContacts(db, after, pageRows);
        for (const { contact, number } of page) {
          if (signal.aborted || looks >= mostLooks) return;
          after = number;
          for (const conferenceSid of conferencesOf(contact, at)) {
            looks += 1;
            const lookedAt = now();
            const participants = await twilio.holds(conferenceSid);
            if (!isNews(contact, participants)) continue;
            const event = ownEvent(ownTypes.participants, `${conferenceSid}/${at}`, lookedAt, {
              ...{ conferenceSid, participants },
            });
            await inbox.take([event], { source: 'own' });
          }
        }
        if (page.length < pageRows) break;
      }
      after = 0;
    } catch (error) {
      log.warn(
        { event: 'sessions.holds', code: errorCode(error) },
        'the host could not look at the participants of open calls; it does so again at the next tick',
      );
    }
  };
}

/** The conferences of a call that an agent took and that lasts. */
function conferencesOf({ kind, keys, connectedAt, closedAt }: Contact, now: number): ConferenceSid[] {
  const isOpen = kind === 'voice' && closedAt === undefined && now - (connectedAt ?? 0) < longestMs;
  return isOpen ? keys.flatMap((key) => asConferenceSid(key) ?? []) : [];
}

/** Whether a leg is on hold and the contact has no hold of it, or the other way round. */
function isNews({ holds }: Contact, participants: readonly LegHold[]): boolean {
  const lasting = holds.filter(({ endedAt }) => endedAt === undefined);
  return participants.some(({ callSid, hold }) =>
    hold
      ? !lasting.some((one) => one.callSid === undefined || one.callSid === callSid)
      : lasting.some((one) => one.callSid === callSid),
  );
}
