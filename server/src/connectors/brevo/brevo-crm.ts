import type { Alarms } from '../../alarms/alarms.ts';
import type { Db } from '../../db/db.ts';
import type { Crm } from '../crm.ts';
import { type PauseNotes, pauseNotes } from '../pause-note.ts';
import { createAttributeNames } from './attribute-names.ts';
import type { Brevo, BrevoEvent } from './brevo-api.ts';
import type { CollisionPolicy } from './collisions.ts';
import { deliverContact } from './deliver-contact.ts';
import { batchesOf, deliverEvent, deliverEvents, eventOf } from './deliver-event.ts';
import type { Mapping } from './mapping.ts';
import type { BrevoPause } from './outcomes.ts';
import { brevoPause } from './pause.ts';
import { settleUncertain } from './settle-uncertain.ts';

/** In the connector tables. */
export const brevoName = 'brevo';

export interface BrevoCrmDeps {
  db: Db;
  brevo: Brevo;
  mapping: Mapping;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  collisions: CollisionPolicy;
  createAttributes: boolean;
  /** After so many ms an event that looks did not find is sent again. */
  resendAfterMs: number;
}

export interface BrevoCrm {
  crm: Crm<BrevoEvent>;
  notes: PauseNotes;
  onPause(pause: BrevoPause): Promise<void>;
  onResumed(): Promise<void>;
}

/** Brevo as delivery sees it. */
export function createBrevoCrm(deps: BrevoCrmDeps): BrevoCrm {
  const { alarms, brevo, collisions, createAttributes, db, mapping, resendAfterMs } = deps;
  const notes = pauseNotes(db, brevoName);
  const { onPause, onResumed, probe } = brevoPause({ alarms, brevo, notes });
  const attributes = createAttributeNames({
    ...{ alarms, brevo, mapped: mapping.attributes, mayCreate: createAttributes },
  });
  const contacts = { alarms, attributes, brevo, collisions, mapping, onPause };
  const events = { brevo, mapping, onPause };
  return {
    notes,
    onPause,
    onResumed,
    crm: {
      sendContact: (customer, totals, signal) => deliverContact(contacts, customer, totals, signal),
      eventOf: (effect, customer, remote) => eventOf(events, effect, customer, remote),
      sendEvent: (event, signal) => deliverEvent(events, event, signal),
      sendEvents: (all, signal) => deliverEvents(events, all, signal),
      batches: batchesOf,
      probe,
      settle: (signal) =>
        settleUncertain({ db, connector: brevoName, brevo, resendAfterMs, onPause }, signal),
    },
  };
}
