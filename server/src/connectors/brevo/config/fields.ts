interface Common {
  /** The same text as in docs/brevo.md and in the JSON schema. */
  means: string;
}

type Leaf =
  | (Common & { kind: 'flag'; default: boolean })
  | (Common & { kind: 'whole' | 'number'; unit: string; min: number; max: number; default?: number })
  | (Common & { kind: 'choice'; values: readonly string[]; default?: string })
  /** Some of the values, each once. */
  | (Common & { kind: 'choices'; values: readonly string[] })
  /** `must` continues a sentence that begins with the key: the bound, a colon, and the next step. */
  | (Common & { kind: 'text'; shape: RegExp; must: string; required?: true });
type Group = Common & { kind: 'group'; fields: Readonly<Record<string, Leaf>> };
/** Read by a file of its own, which also has its part of the JSON schema. */
type Special = Common & { kind: 'consent' | 'field-mapping' | 'event-mapping' };
export type Field = Leaf | Group | Special;

const flag = (value: boolean, means: string) => ({ kind: 'flag', default: value, means }) as const;
const perSecond = (value: number, api: string) =>
  ({
    kind: 'whole',
    unit: 'requests a second',
    min: 1,
    max: 1_000,
    default: value,
    means: `Requests a second that the connector sends to ${api} at most.`,
  }) as const;
const list = (means: string) =>
  ({ kind: 'whole', unit: 'Brevo (the id of a list)', min: 1, max: 2_147_483_647, means }) as const;

/** Every key of the connector's file. Validation, JSON schema and documentation follow this table. */
export const fields = {
  enabled: flag(true, 'Whether the connector runs; with false it keeps and sends nothing.'),
  account_sid: {
    kind: 'text',
    shape: /^AC[0-9a-f]{32}$/,
    must: 'must be AC and 32 lower-case hexadecimal digits: copy it from Account Info on the first page of https://console.twilio.com',
    required: true,
    means: "Twilio account whose interactions are sent: the host's own.",
  },
  flex_flow_sid: {
    kind: 'text',
    shape: /^FO[0-9a-f]{32}$/,
    must: 'must be FO and 32 lower-case hexadecimal digits: copy it from the Flex Flow, or leave it out',
    means:
      'Flex Flow of legacy chat: tasks of another flow are left out. Calls and conversations, which have no flow, are sent in any case.',
  },
  plan: {
    kind: 'choice',
    values: ['general', 'advanced', 'extended'],
    default: 'general',
    means: "Brevo's class of rate limits for this account.",
  },
  plan_factor: {
    kind: 'number',
    unit: "times the plan's figures",
    min: 0.1,
    max: 100,
    default: 1,
    means: 'How many times the figures of the plan Brevo allows, where it has agreed to other limits.',
  },
  sync: {
    kind: 'group',
    means: 'What is sent.',
    fields: {
      conversations: flag(true, 'Events of conversations (`conversation.ended`), and their history.'),
      tasks: flag(true, 'Events of tasks (`task.created` and others), and their history.'),
      customers: flag(
        true,
        'Attributes and lists of contacts. With false a contact has its identifiers alone, since events need a contact.',
      ),
      csat: flag(true, 'Answers of surveys: the event, the score in properties and attributes, the list.'),
      agent_activity: flag(
        true,
        "Agents' activity by day is kept in the database, for `connector report`. It is not sent to Brevo.",
      ),
    },
  },
  lists: {
    kind: 'group',
    means: 'Lists of Brevo that contacts are added to.',
    fields: {
      support_contacts: list('Id of the list of all contacts that had an interaction.'),
      csat_respondents: list('Id of the list of all contacts that answered a survey; it needs `csat`.'),
    },
  },
  channels: {
    kind: 'choices',
    values: ['voice', 'sms', 'whatsapp', 'webchat'],
    means: 'Channels whose interactions are sent; all four by default.',
  },
  field_mapping: {
    kind: 'field-mapping',
    means: "Where a contact's identifiers and attributes come from; the mapping below by default.",
  },
  event_mapping: {
    kind: 'event-mapping',
    means: 'Which event each trigger sends; the mapping below by default.',
  },
  consent: {
    kind: 'consent',
    means:
      'Whose interactions may be sent: `all`, or `{attribute: NAME}` for those whose task attribute NAME is true. It has no default.',
  },
  collisions: {
    kind: 'choice',
    values: ['drop-identifier', 'merge', 'skip', 'report'],
    default: 'drop-identifier',
    means:
      'What happens where two contacts of Brevo would share an identifier: it is left out, Brevo merges both, the contact is left out, or an alarm waits for a decision.',
  },
  erase: {
    kind: 'choice',
    values: ['attributes', 'contact'],
    default: 'attributes',
    means:
      'What the erasure of a caller removes at Brevo: the attributes and memberships that the connector wrote, or the whole contact.',
  },
  create_attributes: flag(false, 'Whether attributes that Brevo lacks are created.'),
  csat: {
    kind: 'group',
    means: 'Where the answer of a survey is.',
    fields: {
      measure: {
        kind: 'text',
        shape: /^(?!conversation_(measure|attribute)_(?!([1-9]|10)$))[\w-]{1,128}(\.[\w-]{1,128}){0,8}$/,
        must: 'must be conversation_measure_1 to conversation_measure_10, or the path of a task attribute, such as survey.score',
        means:
          'Task attribute with the score: `conversation_measure_1` to `_10` (of `conversations`), or a path such as `survey.score`.',
      },
      scale: {
        kind: 'whole',
        unit: 'points',
        min: 1,
        max: 100,
        means: 'Best score of the survey. A number below 0 or above it is no score.',
      },
    },
  },
  settle_seconds: {
    kind: 'whole',
    unit: 'seconds',
    min: 0,
    max: 3_600,
    default: 60,
    means: 'Seconds that an event waits for others that arrive late.',
  },
  resend_uncertain_after: {
    kind: 'number',
    unit: 'minutes',
    min: 0,
    max: 10_080,
    default: 60,
    means:
      'Minutes after which an event that Brevo may have, and that three searches did not find, is sent again.',
  },
  limits: {
    kind: 'group',
    means: "Rates of Twilio's APIs.",
    fields: {
      flex: perSecond(100, 'the Flex API'),
      conversations: perSecond(100, 'the Conversations API'),
      taskrouter: perSecond(30, 'the TaskRouter API'),
      events: perSecond(20, "TaskRouter's Events"),
      searches: perSecond(3, 'TaskRouter for searches by attributes'),
    },
  },
  debug: flag(false, 'The same as `log_level: debug`, unless `log_level` is verbose.'),
  log_level: {
    kind: 'choice',
    values: ['error', 'warn', 'info', 'debug', 'verbose'],
    means: "How much the connector logs; as the host's `CUSTODY_LOG_LEVEL` by default. verbose is trace.",
  },
  log_api_calls: flag(
    false,
    'Whether each request to Brevo is logged: method, path, status, time; never identifiers, values or the key. `log_level: verbose` logs them in any case.',
  ),
} as const satisfies Readonly<Record<string, Field>>;

export type Fields = typeof fields;
export type Key = keyof Fields;
export const keys = Object.keys(fields) as readonly Key[];
