import type { Alarms } from '../../alarms/alarms.ts';
import type { RemoteNames } from '../outbox-table.ts';
import type { Brevo, BrevoIdentifiers, BrevoOutcome } from './brevo-api.ts';
import { type BrevoPause, caught } from './outcomes.ts';

/** A customer whose interactions were all erased. */
export interface ToForget {
  id: number;
  identifiers: BrevoIdentifiers;
  remoteId?: string;
  remoteNames?: RemoteNames;
}

export interface ForgetDeps {
  brevo: Pick<Brevo, 'contact' | 'forget'>;
  /** Whether the whole contact is removed, or what we wrote of it. */
  erase: 'attributes' | 'contact';
  /** At most so many, claimed for this process. */
  claim(): Promise<readonly ToForget[]>;
  forgotten(id: number): Promise<void>;
  onPause(pause: BrevoPause): Promise<void>;
  isPaused(): Promise<boolean>;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  log: { info(fields: object, message: string): void };
}

/**
 * Removes at Brevo what we wrote of erased customers. Single events cannot be removed there, and the log says so. What Brevo does not
 * take now is claimed again later.
 */
export async function forgetCustomers(deps: ForgetDeps, signal: AbortSignal): Promise<void> {
  const { alarms, log } = deps;
  let refused = 0;
  while (!signal.aborted && !(await deps.isPaused())) {
    const customers = await deps.claim();
    if (customers.length === 0) break;
    for (const customer of customers) {
      const outcome = await forgetOne(deps, customer, signal);
      if (outcome.kind === 'pause') {
        await deps.onPause(outcome);
        return;
      }
      if (outcome.kind === 'refused' || outcome.kind === 'collision') {
        refused += 1;
        const code = outcome.kind === 'refused' ? outcome.code : outcome.kind;
        await alarms.raise('brevo_not_forgotten', undefined, `customer ${customer.id}: ${code}`);
      }
      if (outcome.kind !== 'done' && outcome.kind !== 'missing') continue;
      await deps.forgotten(customer.id);
      log.info(
        { event: 'connector.forgotten', customer: customer.id, erased: deps.erase },
        'what was written of an erased customer was removed at Brevo; single events cannot be removed there',
      );
    }
  }
  if (refused === 0) await alarms.resolve(['brevo_not_forgotten']);
}

async function forgetOne(
  { brevo, erase }: ForgetDeps,
  { identifiers, remoteId, remoteNames }: ToForget,
  signal: AbortSignal,
): Promise<BrevoOutcome<undefined>> {
  const nothing = { kind: 'missing' } as const;
  // Nothing was ever sent of it.
  if (!remoteNames) return nothing;
  let contactId = remoteId === undefined ? undefined : Number(remoteId);
  if (contactId === undefined) {
    if (Object.keys(identifiers).length === 0) return nothing;
    const found = await caught(brevo.contact(identifiers, signal), signal);
    if (found.kind !== 'done') return found;
    contactId = found.value.id;
  }
  const { attributes, lists: listIds } = remoteNames;
  return caught(
    brevo.forget(contactId, erase === 'contact' ? 'contact' : { attributes, listIds }, signal),
    signal,
  );
}
