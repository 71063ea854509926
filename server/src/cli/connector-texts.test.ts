import { checkNames, lineOf } from '../connectors/check.ts';
import type { Explanation } from '../connectors/explain.ts';
import type { ConnectorStatus } from '../connectors/status.ts';
import { explanationText } from './connector-explain.ts';
import { failedText } from './connector-failed.ts';
import { reportText } from './connector-report.ts';
import { connectorStatusText } from './connector-status.ts';
import { checksOf, checksText } from './connector-test.ts';

const at = new Date('2026-11-29T10:00:00Z');
const words = (text: string) => text.split('\n').map((line) => line.split(/ {2,}/).filter(Boolean));

const status: ConnectorStatus = {
  ...{ connector: 'brevo', connected: true, lastSync: at.toISOString(), conversationsTracked: 12 },
  ...{ customersLinked: 7, agentsMonitored: 3, pending: 1, failed: 0, uncertain: 0, behindSeconds: 75 },
  rate: { eventsLastMinute: 4, classes: [{ name: 'brevo/events', limit: 10, remaining: 9 }] },
  ...{ imports: [{ resource: 'tasks', lastAt: at }], notes: [{ name: 'listener', lastAt: at }] },
};

test('the status has a row for each figure; what must be done follows', () => {
  const lines = words(connectorStatusText(status));
  expect(lines).toEqual([
    ['WHAT', 'VALUE'],
    ['connected', 'yes'],
    ['last event sent', '2026-11-29T10:00:00.000Z'],
    ['conversations tracked', '12'],
    ['customers linked', '7'],
    ['agents monitored', '3'],
    ['pending', '1'],
    ['failed', '0'],
    ['uncertain', '0'],
    ['behind by', '75 s'],
    ['events in the last minute', '4'],
    ['limit of brevo/events', '9 of 10 left'],
    ['history of tasks', '2026-11-29T10:00:00.000Z'],
    ['last listener', '2026-11-29T10:00:00.000Z'],
  ]);
  const bad = { ...status, connected: false, failed: 2, paused: { reason: 'key', sinceAt: at } };
  expect(connectorStatusText(bad)).toMatch(
    /Nothing is sent since 2026-11-29T10:00:00.000Z \(key\): flex-custody connector test brevo\n\nWhat could not be sent: flex-custody connector failed$/,
  );
  expect(connectorStatusText({ ...status, connected: false, estimated: true })).toMatch(
    /about 12\n[\s\S]*switched off: flex-custody connector install brevo$/,
  );
});

test('an explanation has a table for each part, and times as times', () => {
  const found: Explanation = {
    ...{
      task: 'WT1',
      custodyId: 'id',
      interaction: { channel: 'voice', openedAt: at.getTime(), tasks: ['WT1'] },
    },
    contact: {
      isSent: false,
      state: 'waiting',
      identifiers: { phone: '(text of 12)' },
      attributes: {},
      lists: [3],
    },
    rules: [{ rule: 'field_mapping.identity', target: 'SMS', source: 'address', why: 'it is a number' }],
    events: [
      {
        trigger: 'task.created',
        name: 'X',
        state: 'sent',
        happenedAt: at,
        attempts: 1,
        properties: { channel: 'a\u001b[31m' },
      },
    ],
  };
  expect(words(explanationText(found))).toEqual([
    ['Interaction'],
    ['FIELD', 'VALUE'],
    ['channel', 'voice'],
    ['openedAt', '2026-11-29T10:00:00.000Z'],
    ['tasks', '["WT1"]'],
    [],
    ['Contact'],
    ['FIELD', 'VALUE'],
    ['state', 'waiting'],
    ['phone', '(text of 12)'],
    ['lists', '3'],
    [],
    ['Rules'],
    ['RULE', 'TARGET', 'SOURCE', 'WHY'],
    ['field_mapping.identity', 'SMS', 'address', 'it is a number'],
    [],
    ['Events'],
    ['TRIGGER', 'EVENT', 'STATE', 'HAPPENED', 'DUE', 'SENT', 'TRIES', 'CODE'],
    ['task.created', 'X', 'sent', '2026-11-29T10:00:00.000Z', '-', '-', '1', '-'],
    [],
    ['Properties of X'],
    ['PROPERTY', 'VALUE'],
    ['channel', 'a?[31m'],
  ]);
  expect(explanationText({ task: 'WT1', why: 'it is internal', rules: [], events: [] })).toBe(
    'Nothing of WT1 is sent: it is internal.',
  );
});

test('dead letters, and none', () => {
  const one = {
    id: 50,
    trigger: 'task.created',
    custodyId: 'c',
    sids: ['WT1'],
    happenedAt: at,
    attempts: 1,
    code: 'x',
    message: 'no',
  };
  expect(words(failedText([one])).slice(0, 2)).toEqual([
    ['ID', 'EVENT', 'TASK', 'HAPPENED', 'CODE', 'WORDS'],
    ['50', 'task.created', 'WT1', '2026-11-29T10:00:00.000Z', 'x', 'no'],
  ]);
  expect(failedText([])).toBe('No failed events.');
});

test('a report has a column for each activity that anyone had', () => {
  const row = { day: '2026-11-28', handled: 3, transferred: 0, wrapUpSeconds: 12 };
  expect(
    words(
      reportText([
        { ...row, worker: 'WK1', activities: { Available: 3_661.4 } },
        { ...row, worker: 'WK2', activities: { Break: 59.6 } },
      ]),
    ),
  ).toEqual([
    ['DAY', 'AGENT', 'HANDLED', 'TRANSFERRED', 'WRAP-UP', 'AVAILABLE', 'BREAK'],
    ['2026-11-28', 'WK1', '3', '0', '0:00:12', '1:01:01', '-'],
    ['2026-11-28', 'WK2', '3', '0', '0:00:12', '-', '0:01:00'],
  ]);
  expect(reportText([])).toBe('No agent was seen on these days.');
});

test('checks are in the order of a set-up, each with its next step', () => {
  const notes = Object.fromEntries(
    [...checkNames]
      .sort()
      .slice(0, 3)
      .map((name) => [name, lineOf({ level: 'ok', detail: 'it works: yes', next: '' })]),
  );
  expect(checksOf({ notes }).map(({ name }) => name)).toEqual([
    'agents',
    'brevo-account',
    'brevo-attributes',
  ]);
  const checks = checksOf({
    notes: {
      queues: 'ok: 3 loaded',
      'flex-api': lineOf({ level: 'fix', detail: 'no Flex', next: 'check it' }),
    },
  });
  expect(checksText(checks)).toBe(
    [
      'FIX   flex-api  no Flex',
      '                → check it',
      'ok    queues    3 loaded',
      '',
      '1 must be fixed.',
    ].join('\n'),
  );
});
