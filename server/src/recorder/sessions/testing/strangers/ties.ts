import type { Tale } from './tale.ts';

/** Two calls that have only a text in common that ties nothing. */
const apart = (name: string, attributes: object, fields: object = {}): Tale => ({
  name: `two calls are two contacts: ${name}`,
  write(w) {
    for (const [index, worker] of ['ada', 'bert'].entries()) {
      const task = w.task(`t${index}`, { direction: 'inbound', ...attributes });
      const at = index * 100;
      w.of(at, task, 'task.created', 'pending', { ...fields }).enters(at, task, 'Support');
      w.segment(task, worker, at + 1, at + 5, at + 60);
    }
  },
  contacts: [
    ['voice voice inbound 0 5 60 wait 5', 'ada routing @Support 1 5 60 completed wait 5 recorded'],
    ['voice voice inbound 100 105 160 wait 5', 'bert routing @Support 101 105 160 completed wait 5 recorded'],
  ],
});

const placeholders = [
  ...[
    '',
    ' ',
    '0',
    '1',
    'null',
    'undefined',
    'none',
    'NaN',
    '[object Object]',
    '{{flow.sid}}',
    'anonymous',
    'unknown',
  ],
  ...[
    '12345678',
    '00000000',
    '00000000-0000-0000-0000-000000000000',
    '+34600000001',
    '34600000001',
    'tel:+34600000001',
  ],
  ...[
    'sip:ada@example.com',
    'client:ada',
    'ada@example.com',
    'CAxxxxxxxx',
    'CAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
  ],
  ...[
    `CA${'0'.repeat(32)}`,
    `WT${'X'.repeat(32)}`,
    `WK${'a'.repeat(32)}`,
    `WW${'6'.repeat(32)}`,
    `FW${'6'.repeat(32)}`,
  ],
  '{{trigger.call.CallSid}}',
];

export const ties: Tale[] = [
  ...placeholders.map((text) =>
    apart(`conversation_id is ${JSON.stringify(text)}`, { conversations: { conversation_id: text } }),
  ),
  ...[
    '',
    'null',
    'undefined',
    'CAxxxxxxxx',
    'CAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    `CA${'0'.repeat(32)}`,
    `CA${'X'.repeat(32)}`,
  ].map((text) =>
    apart(`call_sid is ${JSON.stringify(text)}`, {
      call_sid: text,
      conference: { sid: text.replace('CA', 'CF'), participants: { customer: text, worker: text } },
      channelSid: text.replace('CA', 'CH'),
      flexInteractionSid: text.replace('CA', 'KD'),
    }),
  ),
  apart('the customer, the account and the account code are the same', {
    from: '+34600000001',
    customers: { customer_id: 'C-1', external_id: 'E-1' },
    crmid: '550e8400-e29b-41d4-a716-446655440000',
    flow_execution_sid: null,
  }),
  {
    name: 'two calls are one contact by a conversation_id of the customer’s own',
    write(w) {
      const conversations = { conversation_id: '550e8400-e29b-41d4-a716-446655440000' };
      for (const [index, worker] of ['ada', 'bert'].entries()) {
        const task = w.task(`t${index}`, { direction: 'inbound', conversations });
        w.queued(index * 100, task);
        w.segment(task, worker, index * 100 + 1, index * 100 + 5, index * 100 + 60);
      }
    },
    contacts: [
      [
        'voice voice inbound 0 5 160 wait 5',
        'ada routing @Support 1 5 60 completed wait 5 recorded',
        'bert re-queue @Support 101 105 160 completed wait 5 recorded',
      ],
    ],
  },
];
