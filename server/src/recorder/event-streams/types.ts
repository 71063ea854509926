/** Names of a group of event types below one prefix. */
const below = (prefix: string, ...names: readonly string[]): string[] => names.map((name) => prefix + name);

export const rateLimitType = 'com.twilio.apiusage.taskrouter.ratelimits';

/**
 * What the host subscribes to. Agents' work is in TaskRouter's events; holds, legs and their ends in those of voice; text
 * channels in those of conversations, without the messages, which no session needs; and TaskRouter's rate limits set the
 * pace of the host's own requests.
 */
export const subscribedTypes: readonly string[] = [
  ...below(
    'com.twilio.taskrouter.task.',
    ...['created', 'updated', 'canceled', 'completed', 'deleted', 'system-deleted', 'wrapup'],
    ...['transfer-initiated', 'transfer-completed', 'transfer-failed', 'transfer-canceled'],
    'transfer-attempt-failed',
  ),
  ...below(
    'com.twilio.taskrouter.reservation.',
    ...['created', 'accepted', 'rejected', 'timeout', 'canceled', 'rescinded', 'completed', 'failed'],
    'wrapup',
  ),
  ...below(
    'com.twilio.taskrouter.worker.',
    ...['created', 'deleted', 'activity.update', 'attributes.update', 'capacity.update'],
    'channel.availability.update',
  ),
  ...below('com.twilio.taskrouter.task-queue.', 'entered', 'moved', 'timeout'),
  ...below('com.twilio.taskrouter.workflow.', 'entered', 'rejected', 'skipped', 'target-matched', 'timeout'),
  rateLimitType,
  ...below(
    'com.twilio.voice.status-callback.',
    ...['call.initiated', 'call.ringing', 'call.answered', 'call.completed', 'conference.updated'],
    ...['conference.participant.updated', 'recording.processed'],
  ),
  'com.twilio.voice.api-request.conference-participant.modified',
  'com.twilio.voice.twiml.enqueue.finished',
  ...below(
    'com.twilio.conversations.',
    ...['conversation.added', 'conversation.removed', 'conversation.updated', 'conversation-state.updated'],
    ...['participant.added', 'participant.updated', 'participant.removed'],
  ),
];

/** The oldest schema version that the host reads, where it is not the first: durations in ms since the second. */
export const leastVersion = (type: string): number =>
  type.startsWith('com.twilio.taskrouter.worker.') ? 2 : 1;
