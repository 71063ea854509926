import { type Interaction, type Trigger, triggers } from '../interaction.ts';
import { interactionWith, mappingOf, totals } from './testing/mapping-of.ts';

const sent = (given: object, interaction: Interaction) => {
  const mapping = mappingOf(given);
  return Object.fromEntries(
    triggers.flatMap((trigger) => {
      const event = mapping.event(interaction, trigger);
      return event ? [[trigger, event.name]] : [];
    }),
  );
};
const text = (changes: Partial<Interaction>) =>
  interactionWith({ kind: 'text', channel: 'whatsapp', ...changes });
const { acceptedAt: _, ...notAccepted } = interactionWith();
const { closedAt: __, ...open } = interactionWith({ outcome: 'open' });

test.each<[what: string, interaction: Interaction, events: object]>([
  [
    'resolved',
    interactionWith(),
    { 'task.created': 'SUPPORT_REQUESTED', 'task.completed': 'SUPPORT_RESOLVED' },
  ],
  ['open', open, { 'task.created': 'SUPPORT_REQUESTED' }],
  [
    'abandoned',
    { ...notAccepted, outcome: 'abandoned' },
    { 'task.created': 'SUPPORT_REQUESTED', 'task.canceled': 'SUPPORT_ABANDONED' },
  ],
  ['diverted', { ...notAccepted, outcome: 'diverted' }, { 'task.created': 'SUPPORT_REQUESTED' }],
  ['unanswered', { ...notAccepted, outcome: 'unanswered' }, { 'task.created': 'SUPPORT_REQUESTED' }],
  [
    'a survey or a declined invite that was canceled',
    { ...notAccepted, outcome: 'ended' },
    { 'task.created': 'SUPPORT_REQUESTED' },
  ],
  [
    'a conversation that ended, with a survey',
    text({ conversationEndedAt: 5, surveyedAt: 7, csatScore: 4 }),
    {
      'task.created': 'SUPPORT_REQUESTED',
      'task.completed': 'SUPPORT_RESOLVED',
      'conversation.ended': 'CONVERSATION_ENDED',
      'survey.completed': 'CSAT_SUBMITTED',
    },
  ],
])('the default events of one that is %s', (_, interaction, events) =>
  expect(sent({}, interaction)).toEqual(events),
);

test.each<[trigger: Trigger, at: number]>([
  ['task.created', 1],
  ['task.accepted', 2],
  ['task.transferred', 3],
  ['task.completed', 4],
  ['task.canceled', 4],
  ['conversation.ended', 5],
  ['survey.completed', 6],
])('%s has the time at which it happened', (trigger, at) => {
  const interaction = text({
    ...{ openedAt: 1, acceptedAt: 2, transferredAt: 3, closedAt: 4, conversationEndedAt: 5, surveyedAt: 6 },
  });
  const outcome = trigger === 'task.canceled' ? 'abandoned' : 'resolved';
  const event_mapping = { [trigger]: 'X' };
  expect(mappingOf({ event_mapping }).event({ ...interaction, outcome }, trigger)).toMatchObject({
    name: 'X',
    at: new Date(at),
  });
});

test.each<[when: object, interaction: Partial<Interaction>, isSent: boolean]>([
  [{}, {}, true],
  [{ channel: 'voice' }, {}, true],
  [{ channel: ['sms', 'whatsapp'] }, {}, false],
  [{ channel: { not: ['sms', 'whatsapp'] } }, {}, true],
  [{ channel: { not: 'voice' } }, {}, false],
  [{ kind: 'voice', direction: 'inbound' }, {}, true],
  [{ kind: 'voice', direction: 'outbound' }, {}, false],
  [{ outcome: 'diverted' }, {}, false],
  [{ outcome: ['resolved', 'ended'] }, {}, true],
  [{ reason: 'Wrap-up done' }, { reason: 'wrap-up done ' }, true],
  [{ reason: 'survey' }, { reason: 'wrap-up done' }, false],
  [{ reason: 'survey' }, {}, false],
  [{ reason: { not: ['survey', 'test'] } }, { reason: 'Survey' }, false],
  [{ reason: { not: ['survey', 'test'] } }, {}, true],
])('when %j', (when, changes, isSent) => {
  const event_mapping = { 'task.completed': { name: 'X', when } };
  expect(sent({ event_mapping }, interactionWith(changes))).toEqual(isSent ? { 'task.completed': 'X' } : {});
});

test('the first rule whose conditions hold names the event', () => {
  const event_mapping = {
    'task.completed': [
      { name: 'CALL', when: { channel: 'voice' } },
      { name: 'CHAT', when: { kind: 'text' } },
      'ELSE',
    ],
    'task.accepted': 'TAKEN',
  };
  const completed = (changes: Partial<Interaction>) => sent({ event_mapping }, interactionWith(changes));
  expect(completed({})).toEqual({ 'task.completed': 'CALL', 'task.accepted': 'TAKEN' });
  expect(completed({ channel: 'sms', kind: 'text' })).toMatchObject({ 'task.completed': 'CHAT' });
  expect(completed({ channel: 'sms', kind: 'work' })).toMatchObject({ 'task.completed': 'ELSE' });
});

test('each switch of sync has its triggers', () => {
  const all = text({ ...{ transferredAt: 3, conversationEndedAt: 5, surveyedAt: 6 } });
  expect(Object.keys(sent({ sync: { tasks: false } }, all))).toEqual([
    'conversation.ended',
    'survey.completed',
  ]);
  expect(Object.keys(sent({ sync: { conversations: false } }, all))).not.toContain('conversation.ended');
  expect(Object.keys(sent({ sync: { csat: false } }, all))).not.toContain('survey.completed');
});

test('each rule is explained, and no value is shown', () => {
  const mapping = mappingOf({
    consent: { attribute: 'ok' },
    csat: { measure: 'score' },
    lists: { support_contacts: 1, csat_respondents: 2 },
    field_mapping: {
      'attributes.email': 'email',
      identity: 'ext_id',
      'attributes.phone': 'SMS',
      tier: 'TIER',
      plan: { to: 'PLAN', transform: 'number' },
      seen: { to: 'SEEN', overwrite: 'never' },
      note: { to: 'NOTE', overwrite: 'always' },
      vip: 'VIP',
    },
  });
  const { lastCsatScore: _score, ...never } = totals;
  const attributes = {
    ok: 'yes',
    email: 'secret@',
    phone: '+34600111333',
    tier: 'gold',
    plan: 'hush',
    seen: 'hush',
    vip: { a: 1 },
  };
  const reasons = mapping.explain(
    interactionWith({ customer: { address: '+34600111222', attributes } }),
    never,
  );
  expect(reasons).toMatchInlineSnapshot(`
[
  {
    "rule": "consent",
    "source": "attributes.ok",
    "target": "",
    "why": "it may be sent",
  },
  {
    "rule": "field_mapping.attributes.email",
    "source": "attributes.email",
    "target": "email",
    "why": "attributes.email is no e-mail address",
  },
  {
    "rule": "field_mapping.identity",
    "source": "identity",
    "target": "SMS",
    "why": "identity is sent",
  },
  {
    "rule": "field_mapping.attributes.phone",
    "source": "attributes.phone",
    "target": "SMS",
    "why": "attributes.phone is not needed: field_mapping.identity has a value",
  },
  {
    "rule": "field_mapping.tier",
    "source": "attributes.tier",
    "target": "TIER",
    "why": "attributes.tier is sent",
  },
  {
    "rule": "field_mapping.plan",
    "source": "attributes.plan",
    "target": "PLAN",
    "why": "attributes.plan is no number",
  },
  {
    "rule": "field_mapping.seen",
    "source": "attributes.seen",
    "target": "SEEN",
    "why": "attributes.seen is sent where Brevo has no value: overwrite is never",
  },
  {
    "rule": "field_mapping.note",
    "source": "attributes.note",
    "target": "NOTE",
    "why": "attributes.note is empty, and overwrite is always: Brevo's value is emptied",
  },
  {
    "rule": "field_mapping.vip",
    "source": "attributes.vip",
    "target": "VIP",
    "why": "attributes.vip is an object: name one of its values, such as attributes.customers.email",
  },
  {
    "rule": "lists.support_contacts",
    "source": "",
    "target": "list 1",
    "why": "the contact is added",
  },
  {
    "rule": "lists.csat_respondents",
    "source": "csat",
    "target": "",
    "why": "the contact is not added: the customer answered no survey",
  },
  {
    "rule": "event_mapping.task.created",
    "source": "task.created",
    "target": "SUPPORT_REQUESTED",
    "why": "it is sent",
  },
  {
    "rule": "event_mapping.task.accepted",
    "source": "task.accepted",
    "target": "",
    "why": "not sent: no rule of event_mapping sends an event",
  },
  {
    "rule": "event_mapping.task.transferred",
    "source": "task.transferred",
    "target": "",
    "why": "not sent: no rule of event_mapping sends an event",
  },
  {
    "rule": "event_mapping.task.completed",
    "source": "task.completed",
    "target": "SUPPORT_RESOLVED",
    "why": "it is sent",
  },
  {
    "rule": "event_mapping.task.canceled",
    "source": "task.canceled",
    "target": "SUPPORT_ABANDONED",
    "why": "not sent: when.outcome does not hold: it is resolved",
  },
  {
    "rule": "event_mapping.conversation.ended",
    "source": "conversation.ended",
    "target": "CONVERSATION_ENDED",
    "why": "not sent: it has not happened",
  },
  {
    "rule": "event_mapping.survey.completed",
    "source": "survey.completed",
    "target": "CSAT_SUBMITTED",
    "why": "not sent: it has not happened",
  },
]
`);
  for (const value of ['secret', '+34', 'gold', 'hush']) expect(JSON.stringify(reasons)).not.toContain(value);
});
