/** The part of `sessionStorage` that is used. */
export interface SessionStore {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** What holds for a task: withdrawn consent is refused consent. */
export type Answer = 'given' | 'refused';

export interface ConsentMemory {
  recall(taskSid: string): Answer | undefined;
  remember(taskSid: string, answer: Answer): void;
}

/**
 * What the caller of a task answered, so that a reload does not ask again: the task's SID and a word, for as long as the
 * tab lives. Where the browser keeps nothing, the agent is asked again.
 */
export function consentMemory(store: () => SessionStore): ConsentMemory {
  const key = (taskSid: string) => `flex-custody.voice-consent.${taskSid}`;
  return {
    recall(taskSid) {
      try {
        const kept = store().getItem(key(taskSid));
        return kept === 'given' || kept === 'refused' ? kept : undefined;
      } catch {
        return undefined;
      }
    },
    remember(taskSid, answer) {
      try {
        store().setItem(key(taskSid), answer);
      } catch {
        // Nothing is kept: the next page asks again.
      }
    },
  };
}
