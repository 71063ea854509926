/**
 * The types that sessions, limits and gap repair read, by prefix. The host subscribes to all of them: TaskRouter's history has each
 * of TaskRouter's types, so gap repair would report one without a subscription as lost.
 */
const handled: Readonly<Record<string, string>> = {
  'com.twilio.taskrouter.task.':
    'created updated canceled completed deleted system-deleted wrapup transfer-initiated transfer-completed transfer-failed transfer-canceled transfer-attempt-failed',
  'com.twilio.taskrouter.reservation.':
    'created accepted rejected timeout canceled rescinded completed failed wrapup',
  'com.twilio.taskrouter.worker.':
    'created deleted activity.update attributes.update capacity.update channel.availability.update',
  'com.twilio.taskrouter.task-queue.': 'created deleted entered moved timeout expression-updated',
  'com.twilio.taskrouter.workflow.': 'entered rejected skipped target-matched timeout',
  'com.twilio.apiusage.taskrouter.': 'ratelimits',
  'com.twilio.voice.status-callback.':
    'call.initiated call.ringing call.answered call.completed conference.updated conference.participant.updated recording.processed stream.updated transcription.processed amd.detected',
  'com.twilio.voice.api-request.':
    'call.modified conference.modified conference-participant.created conference-participant.deleted conference-participant.modified',
  'com.twilio.voice.twiml.': 'enqueue.finished dial.finished call.redirected call.transferred',
  'com.twilio.voice.insights.':
    'conference-summary.partial conference-summary.complete conference-participant-summary.complete call-summary.partial call-summary.predicted-complete call-summary.complete',
  'com.twilio.voice.': 'media.fetched',
  'com.twilio.conversations.':
    'conversation.added conversation.removed conversation.updated conversation-state.updated participant.added participant.removed participant.updated',
};

/** TaskRouter's own rate limits. */
export const rateLimitType = 'com.twilio.apiusage.taskrouter.ratelimits';

/** Events of a sink's own test. */
export const testEventType = 'com.twilio.eventstreams.test-event';

/** Every type that the host handles, and subscribes to, in alphabetical order. */
export const eventTypes: readonly string[] = Object.entries(handled)
  .flatMap(([prefix, names]) => names.split(' ').map((name) => prefix + name))
  .sort();

/**
 * What the host itself saw, or checked with Twilio. No other source may bring such an event, because sessions believe what it
 * says without a check of their own.
 */
export const ownTypes = { report: 'flex-custody.report', participants: 'flex-custody.participants' } as const;

const own: ReadonlySet<string> = new Set(Object.values(ownTypes));

/** @param type as {@link typeOf} gives it */
export const isOwn = (type: string): boolean => own.has(type);

const known: ReadonlySet<string> = new Set([...eventTypes, testEventType]);

/** Other spellings of handled types, which a subscription does not name. */
const spellings: readonly (readonly [RegExp, string])[] = [
  [/^com\.twilio\.voice\.webhook\.(?:status-callback\.)?/, 'com.twilio.voice.status-callback.'],
  [
    /^com\.twilio\.taskrouter\.task-queue\.expression\.updated$/,
    'com.twilio.taskrouter.task-queue.expression-updated',
  ],
];

/** The name under which the host stores a type: that of today for a deprecated one. */
export function typeOf(given: string): string {
  for (const [pattern, today] of spellings) if (pattern.test(given)) return given.replace(pattern, today);
  return given;
}

/** The oldest schema version that the host reads, where it is not the first: durations in ms since the second. */
export const leastVersion = (type: string): number =>
  type.startsWith('com.twilio.taskrouter.worker.') ? 2 : 1;

/** Whether the host takes events of this type from Twilio. @param type as {@link typeOf} gives it */
export const isHandled = (type: string): boolean => known.has(type);

/** What customers and agents write, and what they are called, which no session needs: such an event is counted, and nothing of it is kept. */
export const isContent = (type: string): boolean =>
  /^com\.twilio\.(conversations\.(message|user)|messaging)\./.test(type);
