import { asAccountSid, asRecordingSid, asTaskSid } from '../sids.ts';
import { type IngestAnswer, readIngestAnswer } from './ingest-answer.ts';

const sid = (prefix: string, digit = '1') => prefix + digit.repeat(32);
const accountSid = asAccountSid(sid('AC'))!;
const recordingSid = asRecordingSid(sid('RE'))!;
const forwardTo = asTaskSid(sid('WT'))!;
const copy: Extract<IngestAnswer, { action: 'copy' }> = {
  action: 'copy',
  lease: 'l',
  leaseMs: 30_000,
  source: { accountSid, recordingSid, channels: 2, durationSeconds: 61, pausedSeconds: 4 },
  objectKey: `recordings/${accountSid}/${recordingSid}`,
  rate: 1_000_000,
  forwarded: true,
  forwardTo,
};
const read = (answer: unknown) => readIngestAnswer(answer, { accountSid, recordingSid });

test('an answer is read whole, and nothing beside it', () => {
  expect(read({ ...copy, more: 1, source: { ...copy.source, url: 'https://evil.example' } })).toEqual(copy);
  for (const action of ['done', 'busy', 'host'] as const)
    expect(read({ action, forwarded: 'yes', forwardTo: 'WT1' })).toEqual({ action, forwarded: false });
});

test.each<[string, unknown]>([
  ['no object', null],
  ['no action', {}],
  ['an unknown action', { ...copy, action: 'delete' }],
  ['no lease', { ...copy, lease: undefined }],
  ['a rate of nothing', { ...copy, rate: 0 }],
  ['three channels', { ...copy, source: { ...copy.source, channels: 3 } }],
  ['another recording', { ...copy, source: { ...copy.source, recordingSid: sid('RE', '2') } }],
  ['another account', { ...copy, source: { ...copy.source, accountSid: sid('AC', '2') } }],
  ['no source', { ...copy, source: undefined }],
  ['another key', { ...copy, objectKey: 'recordings/x' }],
])('%s is no answer', (_, answer) => {
  expect(read(answer)).toBeUndefined();
});
