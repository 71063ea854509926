import { readSettings } from './read.ts';
import { currentStream } from './stream.ts';

const scene = (given: Readonly<Record<string, unknown>>, secret?: string, node = 'one') => ({
  dataSource: { current: async () => ({ version: 3, settings: readSettings(given).settings }) },
  secrets: { get: async () => secret },
  region: 'eu-central-1',
  node,
});
const own = { specifyCredentials: true, accessKeyId: 'AKIA0' };

test('no settings and no stream name: nothing is followed', async () => {
  expect(
    await currentStream({ ...scene({}), dataSource: { current: async () => undefined } }),
  ).toBeUndefined();
  expect(await currentStream(scene({}))).toBeUndefined();
});

test('a node follows only what is assigned to it', async () => {
  const given = { streamName: 'events', redundantPair: ['one', 'two'] };
  expect(await currentStream(scene(given))).toMatchObject({ stream: { stream: 'events' } });
  expect(await currentStream(scene(given, undefined, 'three'))).toBeUndefined();
});

test('another secret of the access key is another version, which does not hold it', async () => {
  const versions = await Promise.all(
    ['first secret', 'second secret'].map((secret) =>
      currentStream(scene({ streamName: 'events', ...own }, secret)),
    ),
  );
  expect(versions[0]?.stream.credentials?.secretAccessKey).toBe('first secret');
  expect(versions[0]?.version).not.toBe(versions[1]?.version);
  expect(String(versions[0]?.version)).not.toContain('secret');
  await expect(currentStream(scene({ streamName: 'events', ...own }))).rejects.toMatchObject({
    code: 'data_source_invalid',
  });
});
