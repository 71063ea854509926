import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Db } from '../db/db.ts';
import type { KeptContact } from '../recorder/sessions/kept/contacts-table.ts';
import type { Mapping } from './brevo/mapping.ts';
import { eventsOfContacts } from './contact-events.ts';
import type { WantedCustomer } from './customers-table.ts';
import type { Interaction } from './interaction.ts';
import { interactionOf } from './interaction-of.ts';
import type { KeptInteraction } from './interactions-table.ts';
import { type CsatSetting, saidIn } from './said.ts';

export interface LookDeps {
  mapping: Pick<Mapping, 'customer'>;
  csat?: CsatSetting;
  /** See `customerDigests`. */
  digest(key: string): string;
}

/** Since when contacts are noted, and which older ones an import of the past asked for. */
interface Noticed {
  since: Date;
  history?: Date;
}

/** A contact, the interaction that it is to be, and what was kept of it. */
export interface Look {
  kept: KeptContact;
  own: KeptInteraction | undefined;
  /** They become one with `own`. */
  others: readonly KeptInteraction[];
  interaction: Interaction | undefined;
  customer?: WantedCustomer;
}

/** Whether a contact was over before contacts were noted, as far as its own times say. */
const isOfBefore = ({ contact: { openedAt, closedAt } }: KeptContact, { since, history }: Noticed): boolean =>
  openedAt < Math.min(since.getTime(), history?.getTime() ?? Number.POSITIVE_INFINITY) &&
  (closedAt === undefined || closedAt < since.getTime());

/** Makes interactions of contacts, but of those of before: a customer who answers a survey later makes theirs one of now. */
export async function lookAt(
  db: Pick<Db, 'query'>,
  { mapping, digest, csat }: LookDeps,
  contacts: readonly KeptContact[],
  rows: ReadonlyMap<number, readonly KeptInteraction[]>,
  noticed: Noticed,
): Promise<Look[]> {
  const isOld = (kept: KeptContact) => !rows.has(kept.number) && isOfBefore(kept, noticed);
  const wanted = contacts.filter((kept) => csat !== undefined || !isOld(kept));
  const events = await eventsOfContacts(
    db,
    wanted.map(({ number }) => number),
  );
  return wanted.flatMap((kept): Look[] => {
    const { events: sent = [], isWhole = true } = events.get(kept.number) ?? {};
    const said = saidIn(sent, csat);
    if (isOld(kept) && !(said.csat && said.csat.at >= noticed.since.getTime())) return [];
    const found = rows.get(kept.number) ?? [];
    const own = found.find(({ contact }) => contact === kept.number) ?? found[0];
    const others = found.filter((row) => row !== own);
    const custodyId = own?.custodyId ?? randomUUID();
    // Of what a part of the events says, the rest would seem to be gone.
    const interaction =
      !isWhole && own?.interaction
        ? own.interaction
        : interactionOf(kept.contact, said, {
            custodyId,
            ...(own?.messages !== undefined && { messages: own.messages }),
          });
    const customer = interaction && mapping.customer(interaction);
    const look: Look = {
      ...{ kept, own, others, interaction },
      ...(customer &&
        'identifiers' in customer && {
          customer: {
            digest: digest(customer.key),
            identifiers: { ...customer.identifiers },
            isChanged: !isDeepStrictEqual(JSON.parse(JSON.stringify(interaction)), own?.interaction),
          },
        }),
    };
    return [look];
  });
}
