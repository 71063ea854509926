import { asConversationSid, errorCode, isRetryable } from '@flex-custody/core';
import type { TwilioConversations } from '@flex-custody/twilio';
import { atOnce } from './at-once.ts';

/** A closed interaction by messages. */
export interface DueMessages {
  custodyId: string;
  /** CH… */
  conversationSid: string;
}

/** Which interactions Twilio is to be asked about, and what it counted. */
export interface MessageTable {
  /** Takes some that are due; no other process takes them within `claimMs`, and after that they are due again. */
  take(most: number, claimMs: number): Promise<readonly DueMessages[]>;
  /** Undefined: Twilio has no such conversation any more. */
  note(counts: readonly { custodyId: string; messages: number | undefined }[]): Promise<void>;
}

export interface CountMessagesDeps {
  twilio: Pick<TwilioConversations, 'messageCount'>;
  messages: MessageTable;
  log: { warn(fields: object, message: string): void };
}

const mostAtOnce = 8;
const most = 100;
/** Ms after which one that Twilio did not answer for is asked again. */
const claimMs = 5 * 60_000;

/**
 * Counts the messages of closed conversations, until none is due. Nothing but their number is kept. One whose count fails is
 * asked again after minutes, or given up where asking again would not help.
 */
export async function countMessages(
  { twilio, messages, log }: CountMessagesDeps,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const due = await messages.take(most, claimMs);
    if (due.length === 0) return;
    let failed = 0;
    const counts = await atOnce(due, mostAtOnce, async ({ custodyId, conversationSid }) => {
      const sid = asConversationSid(conversationSid);
      try {
        const found = sid && (await twilio.messageCount(sid, signal));
        return { custodyId, messages: found?.messages };
      } catch (error) {
        signal.throwIfAborted();
        failed += 1;
        log.warn({ code: errorCode(error) }, 'the messages of a conversation could not be counted');
        return isRetryable(error) ? undefined : { custodyId, messages: undefined };
      }
    });
    await messages.note(counts.filter((one) => one !== undefined));
    // Twilio is asked no more for now than what fails.
    if (failed === due.length) return;
  }
}
