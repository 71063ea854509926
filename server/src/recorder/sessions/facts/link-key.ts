const sid = /^[A-Z]{2}[0-9a-f]{32}$/;

/**
 * SIDs of which each belongs to one contact: task, reservation, interaction, call, conference, conversation, recording.
 * A worker, a queue, a workflow, a workspace or an account has many.
 */
const ofOneContact = /^(WT|WR|KD|CA|CF|CH|RE)/;

/** What programs write in place of a SID that they do not have yet. */
const blank = /^..0{32}$/;

/** The value where it is a SID that belongs to one contact. Its letters decide, not the field that it came in. */
export function sidKey(value: unknown): string | undefined {
  return typeof value === 'string' && sid.test(value) && ofOneContact.test(value) && !blank.test(value)
    ? value
    : undefined;
}

/**
 * The key of `conversations.conversation_id`, which a workflow's author chooses. A phone number or an address would tie
 * all contacts of a caller to one, and is none.
 */
export function conversationKey(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length < 8 || value.length > 256) return undefined;
  if (sid.test(value)) return sidKey(value);
  const isPhone = /^(\w+:)?\+?[\d\s().-]+$/.test(value);
  return isPhone || /[@\s]/.test(value) || !/\d/.test(value) ? undefined : `conversation:${value}`;
}

/** Each key once. */
export const keysOf = (...keys: readonly (string | undefined)[]): string[] => [
  ...new Set(keys.filter((key) => key !== undefined)),
];
