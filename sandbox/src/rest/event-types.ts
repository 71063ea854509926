/** Names below each prefix, and the schema that its events have. Which schemas Twilio has beside TaskRouter's is unverified. */
const catalogue: readonly [prefix: string, schema: string, names: readonly string[]][] = [
  [
    'com.twilio.taskrouter.task.',
    'TaskRouter.WDSEvent',
    [
      ...['created', 'updated', 'canceled', 'completed', 'deleted', 'system-deleted', 'wrapup'],
      ...['transfer-initiated', 'transfer-completed', 'transfer-failed', 'transfer-canceled'],
      'transfer-attempt-failed',
    ],
  ],
  [
    'com.twilio.taskrouter.reservation.',
    'TaskRouter.WDSEvent',
    [
      ...['created', 'accepted', 'rejected', 'timeout', 'canceled', 'rescinded', 'completed', 'failed'],
      'wrapup',
    ],
  ],
  [
    'com.twilio.taskrouter.worker.',
    'TaskRouter.WDSEvent',
    [
      ...['created', 'deleted', 'activity.update', 'attributes.update', 'capacity.update'],
      'channel.availability.update',
    ],
  ],
  [
    'com.twilio.taskrouter.task-queue.',
    'TaskRouter.WDSEvent',
    ['created', 'deleted', 'entered', 'moved', 'timeout', 'expression-updated'],
  ],
  [
    'com.twilio.taskrouter.workflow.',
    'TaskRouter.WDSEvent',
    ['entered', 'rejected', 'skipped', 'target-matched', 'timeout'],
  ],
  ['com.twilio.apiusage.taskrouter.', 'TaskRouter.RateLimits', ['ratelimits']],
  [
    'com.twilio.voice.status-callback.',
    'VoiceInsights.StatusCallback',
    [
      ...['call.initiated', 'call.ringing', 'call.answered', 'call.completed', 'conference.updated'],
      ...['conference.participant.updated', 'recording.processed', 'stream.updated'],
      ...['transcription.processed', 'amd.detected'],
    ],
  ],
  [
    'com.twilio.voice.api-request.',
    'VoiceInsights.ApiRequest',
    [
      ...['call.modified', 'conference.modified'],
      ...[
        'conference-participant.created',
        'conference-participant.deleted',
        'conference-participant.modified',
      ],
    ],
  ],
  [
    'com.twilio.voice.twiml.',
    'VoiceInsights.Twiml',
    ['enqueue.finished', 'dial.finished', 'call.redirected', 'call.transferred'],
  ],
  [
    'com.twilio.voice.insights.',
    'VoiceInsights.Summary',
    [
      ...[
        'conference-summary.partial',
        'conference-summary.complete',
        'conference-participant-summary.complete',
      ],
      ...['call-summary.partial', 'call-summary.predicted-complete', 'call-summary.complete'],
    ],
  ],
  ['com.twilio.voice.', 'VoiceInsights.Media', ['media.fetched']],
  [
    'com.twilio.conversations.',
    'Conversations.Event',
    [
      ...['conversation.added', 'conversation.removed', 'conversation.updated', 'conversation-state.updated'],
      ...['message.added', 'message.updated', 'message.removed'],
      ...['participant.added', 'participant.updated', 'participant.removed'],
    ],
  ],
];

export const latestVersions: Readonly<Record<string, number>> = {
  'TaskRouter.WDSEvent': 4,
  'TaskRouter.RateLimits': 1,
  'VoiceInsights.StatusCallback': 1,
  'VoiceInsights.ApiRequest': 1,
  'VoiceInsights.Twiml': 1,
  'VoiceInsights.Summary': 1,
  'VoiceInsights.Media': 1,
  'Conversations.Event': 2,
};

/** What an account can subscribe to: schema by type. */
export const eventTypes: ReadonlyMap<string, string> = new Map(
  catalogue.flatMap(([prefix, schema, names]) => names.map((name) => [prefix + name, schema] as const)),
);
