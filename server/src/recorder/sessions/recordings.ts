import type { CallSid, RecordingSid } from '@flex-custody/core';
import type { Interaction } from './contact.ts';
import { wasAccepted } from './contact.ts';
import type { RecordingFact } from './facts/fact.ts';
import { compareText } from './order.ts';

/** Recordings start in whole seconds, and an agent's leg rings before the acceptance is reported (ms). */
const slackMs = 2_000;

/**
 * Gives each interaction its recordings: those of its agent's own leg, and those of other legs and of conferences that
 * overlap it in time.
 * @param agents the worker of each leg that leads to an agent
 */
export function withRecordings(
  interactions: readonly Interaction[],
  facts: readonly RecordingFact[],
  agents: ReadonlyMap<CallSid, string>,
): { interactions: Interaction[]; recordings: RecordingSid[] } {
  const bySid = new Map<RecordingSid, RecordingFact>();
  // Of several reports the one with the most fields; among equals the earliest.
  for (const fact of facts) {
    const known = bySid.get(fact.recordingSid);
    if (!known || Object.keys(fact).length > Object.keys(known).length) bySid.set(fact.recordingSid, fact);
  }
  const recordings = [...bySid.values()].sort((a, b) => compareText(a.recordingSid, b.recordingSid));
  return {
    interactions: interactions.map((interaction) => ({
      ...interaction,
      recordings: recordings.filter((one) => isOf(one, interaction, agents)).map((one) => one.recordingSid),
    })),
    recordings: recordings.map((one) => one.recordingSid),
  };
}

function isOf(
  { callSid, startedAt, duration }: RecordingFact,
  interaction: Interaction,
  agents: ReadonlyMap<CallSid, string>,
): boolean {
  if (!wasAccepted(interaction)) return false;
  const worker = callSid && agents.get(callSid);
  if (worker && worker !== interaction.workerSid) return false;
  if (startedAt === undefined) return true;
  const { acceptedAt = interaction.offeredAt, endedAt = Number.POSITIVE_INFINITY } = interaction;
  const end = duration === undefined ? Number.POSITIVE_INFINITY : startedAt + duration * 1000;
  return startedAt - slackMs < endedAt && end + slackMs > acceptedAt;
}
