import { statusJson, statusText } from './recorder-status.ts';

const shards = { name: 'shards', title: 'Shards', columns: { shard: 'SHARD', behindMs: 'BEHIND MS' } };
const nodes = { name: 'nodes', title: 'Nodes', columns: { owner: 'NODE' } };

test('each table below its title, with headers; an empty one says so', () => {
  const rows = [
    { shard: 'shardId-1', behindMs: 20 },
    { shard: 'shardId-2', behindMs: null },
  ];
  expect(
    statusText([
      { ...shards, rows },
      { ...nodes, rows: [] },
    ]).split('\n'),
  ).toEqual([
    'Shards',
    '  SHARD      BEHIND MS',
    '  shardId-1         20',
    '  shardId-2          -',
    '',
    'Nodes',
    '  None.',
  ]);
});

test('as JSON the rows of each table by its name', () => {
  expect(
    statusJson([
      { ...shards, rows: [{ shard: 'a' }] },
      { ...nodes, rows: [] },
    ]),
  ).toEqual({
    shards: [{ shard: 'a' }],
    nodes: [],
  });
});
