import { checkedWork } from './options.ts';
import type { Json } from './runs.ts';

const check = (name: Parameters<typeof checkedWork>[0], options: Json) =>
  checkedWork(name, async () => undefined).check(options);
const RE = `RE${'1'.repeat(32)}`;

test.each<[Parameters<typeof checkedWork>[0], Json]>([
  ['reconcile', { since: '2026-11-01T00:00:00.000Z', withoutBucket: true, settledMs: 0 }],
  ['rebuild', {}],
  ['rotate-keys', { from: 'k1', verify: true, dryRun: true }],
  ['erase', { recordings: [RE], reference: 'T-1', dryRun: true }],
  ['erase', { callers: [] }],
  ['retention', { yes: true }],
  ['sign-sidecars', { again: true }],
  ['import', { from: 's3://old/calls', region: 'eu-central-1', deletePlain: true, repairHeader: true }],
  ['connector-test', { since: '2026-01-01', createAttributes: true, sendEvent: true }],
  ['connector-sync', { connector: 'brevo', type: 'incremental' }],
  [
    'connector-sync',
    {
      connector: 'brevo',
      type: 'full',
      since: '2026-01-01',
      resources: ['tasks'],
      channels: ['sms'],
      dryRun: true,
    },
  ],
])('%s takes %j', (name, options) => {
  expect(() => check(name, options)).not.toThrow();
});

test.each<[Parameters<typeof checkedWork>[0], Json, string]>([
  ['erase', { recordings: [RE], dryRun: 'yes' }, 'dryRun'],
  ['erase', { recordings: [RE], dryrun: true }, 'dryrun'],
  ['erase', { dryRun: false }, 'recordings'],
  ['erase', { recordings: RE }, 'recordings'],
  ['erase', { recordings: ['RE1'] }, 'recordings'],
  ['erase', { tasks: [RE] }, 'tasks'],
  ['retention', { dryRun: 1 }, 'dryRun'],
  ['retention', { constructor: {} }, 'constructor'],
  ['reconcile', {}, 'since'],
  ['reconcile', { since: 'soon' }, 'since'],
  ['reconcile', { since: '2026-11-01', settledMs: -1 }, 'settledMs'],
  ['rotate-keys', { from: 7 }, 'from'],
  ['import', { from: 's3://b/', deletePlain: null }, 'deletePlain'],
  ['connector-test', { sendEvents: true }, 'sendEvents'],
  ['connector-sync', {}, 'connector'],
  ['connector-sync', { connector: 'brevo', type: 'full' }, 'since'],
  ['connector-sync', { connector: 'brevo', resources: [] }, 'resources'],
  ['connector-sync', { connector: 'brevo', channels: ['fax'] }, 'channels'],
])('%s refuses %j: %s', (name, options, fault) => {
  expect(() => check(name, options)).toThrow(
    expect.objectContaining({
      code: 'request_invalid',
      status: 400,
      message: `options of ${name} at fault: ${fault}`,
    }),
  );
});
