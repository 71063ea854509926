/** What a process of each role does: the members of its rooms that it offers or runs (`room.ts`). */
export const roles = {
  /** Answers requests. */
  http: ['routes', 'upgrades'],
  /** Does the work. */
  worker: ['jobs', 'works'],
  /** Follows the agents' events, and sends what a connector's outbox has. */
  recorder: ['consumers'],
} as const;

export type Role = keyof typeof roles;

export const roleNames: readonly Role[] = Object.keys(roles).filter(isRole);

export function isRole(name: string): name is Role {
  return Object.hasOwn(roles, name);
}
