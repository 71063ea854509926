import { type Sidecar, unprovenFacts } from '@flex-custody/core';
import type { Stored } from '@flex-custody/vault';
import { type Audit, operator } from '../../../access/audit.ts';
import type { IngestDeps } from '../../deps.ts';
import { ingestJobs } from '../../jobs.ts';
import { examine, knownToTwilio } from './adopt.ts';

export type AcceptingDeps = IngestDeps & { audit: Pick<Audit, 'record'> };

/**
 * Restores a recording from an unsigned sidecar, because an operator accepts that: its facts are unproven, and the audit
 * log has an entry first. The object's facts come from the object; times and the call come from Twilio, if Twilio has the
 * recording.
 * @param stored the version that the sidecar names
 * @throws CustodyError as {@link examine}, as Twilio does, or `audit_unavailable`
 */
export async function acceptUnsignedSidecar(
  deps: AcceptingDeps,
  said: Sidecar,
  stored: Stored,
): Promise<void> {
  const { audit, catalog, queue } = deps;
  const { recordingSid } = said;
  const { object, channels, seconds, fault } = await examine(deps, recordingSid, stored);
  const facts = await knownToTwilio(deps, recordingSid);
  if (fault && !facts) throw fault;
  const { callSid, conferenceSid, durationSeconds: _said, ...rest } = said;
  // The call decides the owner, so it is not taken from an unsigned sidecar if Twilio has it.
  const call = facts ?? { callSid, conferenceSid };
  const durationSeconds = facts?.durationSeconds ?? seconds;
  await audit.record({
    viewer: operator,
    action: 'accept-unsigned',
    subject: { kind: 'recording', sid: recordingSid },
    allowed: true,
    reason: 'catalog-rebuild',
  });
  const restored = await catalog.restored(
    {
      ...rest,
      ...(call.callSid && { callSid: call.callSid }),
      ...(call.conferenceSid && { conferenceSid: call.conferenceSid }),
      ...(durationSeconds !== undefined && { durationSeconds }),
      startedAt: facts?.startedAt.toISOString() ?? said.startedAt,
      channels,
      object,
    },
    { unproven: facts ? unprovenFacts.filter((fact) => fact !== 'start') : unprovenFacts },
  );
  if (!restored) return;
  await queue.send(ingestJobs.link, { recordingSid });
  await queue.send(ingestJobs.verify, { recordingSid });
}
