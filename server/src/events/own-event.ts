import type { ownTypes } from './event-types.ts';

type OwnType = (typeof ownTypes)[keyof typeof ownTypes];

/**
 * An event of the host's own, as the inbox takes it from the source `own`.
 * @param id the same for what is the same event of its type
 * @param at epoch ms at which it happened
 */
export const ownEvent = (type: OwnType, id: string, at: number, data: object) => ({
  specversion: '1.0',
  source: 'flex-custody',
  id: `${type}/${id}`,
  type,
  time: new Date(at).toISOString(),
  data: { ...data, at },
});
