import type { DataSource } from './fields.ts';

/** What a node may be assigned to: following the events, or taking live audio. */
export type Duty = 'events' | 'audio';

/** A node takes only what the settings assign to it; without an assignment every node does. */
export function isAssigned(
  { integrationNode, redundantPair, captureNodes }: DataSource,
  node: string,
  duty: Duty = 'events',
): boolean {
  const following = integrationNode === undefined ? redundantPair : [integrationNode];
  const nodes = duty === 'audio' ? captureNodes : following;
  return nodes === undefined || nodes.includes(node);
}
