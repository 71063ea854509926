import type { RecordingSid, TaskSid } from '@flex-custody/core';
import type { Interaction } from '../../interaction.ts';
import type { BrevoConfig } from '../config/brevo-config.ts';
import { readBrevoFile } from '../config/file.ts';
import { createMapping } from '../create-mapping.ts';
import type { Mapping, Totals } from '../mapping.ts';

const accountSid = `AC${'0a'.repeat(16)}`;

/** A file that says the given keys. */
export function configOf(given: object = {}): BrevoConfig {
  const text = JSON.stringify({ account_sid: accountSid, consent: 'all', ...given });
  const read = readBrevoFile(text, accountSid);
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  return read.config;
}

/** The mapping of such a file. */
export const mappingOf = (given: object = {}): Mapping => createMapping(configOf(given));

/** A call that an agent took and that has ended, with changes. */
export const interactionWith = (changes: Partial<Interaction> = {}): Interaction => ({
  custodyId: '0b5f2c36-1111-4222-8333-444455556666',
  kind: 'voice',
  channel: 'voice',
  direction: 'inbound',
  outcome: 'resolved',
  openedAt: Date.UTC(2026, 10, 30, 9),
  acceptedAt: Date.UTC(2026, 10, 30, 9, 0, 12),
  closedAt: Date.UTC(2026, 10, 30, 9, 5),
  tasks: [`WT${'0a'.repeat(16)}` as TaskSid],
  queueName: 'Support',
  agent: 'ada',
  waitSeconds: 12.04,
  talkSeconds: 251.26,
  holdSeconds: 0,
  wrapUpSeconds: 36.949,
  recordings: [`RE${'0a'.repeat(16)}`, `RE${'0b'.repeat(16)}`] as unknown as RecordingSid[],
  customer: { address: '+34600111222', attributes: {} },
  ...changes,
});

/** The same with these attributes of the task. */
export const withAttributes = (attributes: object, changes: Partial<Interaction> = {}): Interaction => {
  const interaction = interactionWith(changes);
  return { ...interaction, customer: { ...interaction.customer, attributes: { ...attributes } } };
};

export const totals: Totals = {
  conversations: 3,
  averageWaitSeconds: 12.345,
  averageTalkSeconds: 200,
  lastConversationAt: Date.UTC(2026, 10, 30, 23, 59),
  lastCsatScore: 4,
  preferredChannel: 'whatsapp',
};
