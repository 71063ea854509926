import { type AccountSid, asConversationSid, CustodyError } from '@flex-custody/core';
import {
  type ConversationPage,
  customersOf,
  type TwilioConversation,
  type TwilioConversations,
} from '@flex-custody/twilio';
import type { Db } from '../../db/db.ts';
import { erasedAmong } from '../../db/erased-sids.ts';
import type { Inbox, InboxLookup } from '../../events/inbox.ts';
import { type AskDeps, askAgain } from './ask-again.ts';
import { atOnce } from './at-once.ts';
import { channelOfConversation } from './channel.ts';
import { closedEvent, conversationEvents } from './conversation-events.ts';
import type { HistoryOptions } from './options.ts';

export interface ReadConversationsDeps extends AskDeps {
  db: Pick<Db, 'query'>;
  twilio: Pick<TwilioConversations, 'conversationsPage' | 'conversation' | 'conversationParticipants'>;
  inbox: Pick<Inbox, 'take'> & InboxLookup;
  config: { accountSid: AccountSid };
}

export interface ConversationCounts {
  conversations: number;
  conversations_open: number;
  conversations_missing: number;
}

interface Slice {
  counts: ConversationCounts;
  /** Those that were open. */
  open: readonly string[];
}

const mostAtOnce = 8;
const mostPages = 10_000;

/**
 * Reads closed conversations into the inbox. One that is open has nothing to say yet: its SID is returned, and it is read
 * again by a later import. One that the inbox has as closed, or that was erased, is not taken.
 */
export function conversationReader(
  deps: ReadConversationsDeps,
  options: Pick<HistoryOptions, 'channels' | 'isDry'>,
) {
  /** Both ends of a slice are included: a conversation may be in two. */
  let before: ReadonlySet<string> = new Set();
  return {
    /** Conversations that were created in a period, both ends of which are included. */
    async slice(period: { since: Date; until: Date }, signal: AbortSignal): Promise<Slice> {
      const all: Slice = { counts: none(), open: [] };
      const seen = new Set<string>();
      for await (const page of pagesOf(deps, period, signal)) {
        for (const { sid } of page.conversations) seen.add(sid);
        const fresh = page.conversations.filter(({ sid }) => !before.has(sid));
        add(all, await readAll(deps, options, fresh, signal));
      }
      before = seen;
      return all;
    },
    /** Conversations that were open when an earlier import read them. */
    async again(sids: readonly string[], signal: AbortSignal): Promise<Slice> {
      const found = await atOnce(sids, mostAtOnce, async (text) => {
        const sid = asConversationSid(text);
        return sid && askAgain(deps, () => deps.twilio.conversation(sid, signal), signal);
      });
      return readAll(
        deps,
        options,
        found.filter((one) => one !== undefined),
        signal,
      );
    },
  };
}

const none = (): ConversationCounts => ({
  conversations: 0,
  conversations_open: 0,
  conversations_missing: 0,
});

function add(all: Slice, { counts, open }: Slice): void {
  all.counts.conversations += counts.conversations;
  all.counts.conversations_open += counts.conversations_open;
  all.counts.conversations_missing += counts.conversations_missing;
  all.open = [...all.open, ...open];
}

async function readAll(
  deps: ReadConversationsDeps,
  { channels, isDry }: Pick<HistoryOptions, 'channels' | 'isDry'>,
  found: readonly TwilioConversation[],
  signal: AbortSignal,
): Promise<Slice> {
  const { db, twilio, inbox, config } = deps;
  const open = found.filter(({ state }) => state !== 'closed').map(({ sid }) => sid);
  const closed = found.filter(({ state }) => state === 'closed');
  const erased = await erasedAmong(db, new Set(closed.map(({ sid }) => sid)));
  const ends = new Map(
    closed.filter(({ sid }) => !erased.has(sid)).map((one) => [closedEvent(one, config.accountSid), one]),
  );
  const missing = new Set(await inbox.missing([...ends.keys()]));
  const fresh = [...ends].flatMap(([event, one]) => (missing.has(event) ? [one] : []));
  let taken = 0;
  await atOnce(fresh, mostAtOnce, async (one) => {
    const all = await askAgain(deps, () => twilio.conversationParticipants(one.sid, signal), signal);
    const customers = customersOf(all ?? []);
    const channel = channelOfConversation(customers);
    // Without a participant nothing says of which channel it was.
    if (channels && !(channel && channels.includes(channel))) return;
    taken += 1;
    if (!isDry) await inbox.take(conversationEvents(one, customers, config.accountSid), { source: 'repair' });
  });
  return {
    counts: {
      conversations: found.length,
      conversations_open: open.length,
      conversations_missing: taken,
    },
    open,
  };
}

/** All pages of a period, each with several tries. */
async function* pagesOf(
  deps: ReadConversationsDeps,
  period: { since: Date; until: Date },
  signal: AbortSignal,
): AsyncGenerator<ConversationPage> {
  let next: string | undefined;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const asked = next;
    const page = await askAgain(deps, () => deps.twilio.conversationsPage(period, asked, signal), signal);
    yield page;
    next = page.next;
    if (next === undefined) return;
  }
  throw new CustodyError('twilio_answer', 'the pages of the conversations have no end');
}
