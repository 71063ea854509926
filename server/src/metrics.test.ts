import { readFileSync } from 'node:fs';
import { createMetrics } from './metrics.ts';

const sources = {
  recordings: async () => ({ states: { verified: 3, failed: 0 }, links: { linked: 2 }, proven: 2 }),
  alarms: async () => ({ link_refused: 1 }),
};

test('the catalog, jobs and alarms are asked when they are read', async () => {
  let failed = 0;
  const metrics = createMetrics(() => ({
    ...sources,
    recordings: async () => ({ states: { failed }, links: {} }),
    jobs: async () => [{ name: 'copy', state: 'created', count: 4 }],
  }));
  expect(await metrics.read()).toContain('custody_recordings{state="failed"} 0');
  failed = 2;
  const text = await metrics.read();
  expect(text).toContain('custody_recordings{state="failed"} 2');
  expect(text).toContain('custody_jobs{name="copy",state="created"} 4');
  expect(text).toContain('custody_alarms{code="link_refused"} 1');
});

test('what happens in the process is counted', async () => {
  const metrics = createMetrics(() => sources);
  metrics.copied(1_000, 500, 'function');
  metrics.copied(2_000, 3_000, 'worker');
  metrics.verified(1_000, 100);
  metrics.played(70_000);
  metrics.tokenValidated('refused');
  metrics.answered('/media/:file', 206, 1.5);
  const text = await metrics.read();
  for (const line of [
    'custody_copied_bytes_total{by="worker"} 2000',
    'custody_copy_seconds_sum{by="function"} 0.5',
    'custody_verified_bytes_total 1000',
    'custody_playback_bytes_total 70000',
    'custody_token_validations_total{outcome="refused"} 1',
    'custody_http_seconds_count{route="/media/:file",status="206"} 1',
    'custody_recording_links{link_state="linked"} 2',
    'custody_recordings_proven 2',
  ]) {
    expect(text).toContain(line);
  }
});

test('a process without workers tells nothing of jobs', async () => {
  expect(await createMetrics(() => sources).read()).not.toContain('custody_jobs');
});

test('with the database away the process still tells its own numbers, and none of old', async () => {
  let away = false;
  const ask = async () => {
    if (away) throw new Error('connection refused');
    return { states: { verified: 3 }, links: {} };
  };
  const metrics = createMetrics(() => ({ ...sources, recordings: ask }));
  metrics.played(70_000);
  expect(await metrics.read()).toContain('custody_database_up 1');
  away = true;
  const text = await metrics.read();
  expect(text).toContain('custody_database_up 0');
  expect(text).toContain('custody_playback_bytes_total 70000');
  expect(text).toContain('custody_alarms{code="link_refused"} 1');
  expect(text).not.toContain('custody_recordings{');
});

test('docs/metrics.md has each metric with its type, labels and meaning', async () => {
  const metrics = createMetrics(() => ({
    ...sources,
    jobs: async () => [{ name: 'copy', state: 'created', count: 4 }],
    events: async () => [{ source: 'kinesis', shard: 's', stored: 2, duplicate: 1, setAside: 0 }],
    connector: async () => ({ states: { waiting: 2 }, oldestDueMs: 1_500 }),
  }));
  metrics.connectorAsked('events', 'done');
  metrics.copied(1_000, 500, 'function');
  metrics.verified(1_000, 100);
  metrics.eventsRefused('signature');
  metrics.tokenValidated('refused');
  metrics.reported('paused', '', 'browser');
  metrics.answered('/media/:file', 206, 1.5);
  const text = await metrics.read();
  const labelsOf = (name: string) => {
    const samples = text.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?{(.*)}`, 'gm'));
    const labels = [...samples].flatMap(([, all = '']) =>
      [...all.matchAll(/(\w+)="/g)].map(([, label]) => label),
    );
    return [...new Set(labels)]
      .filter((label) => label !== 'le')
      .map((label) => `\`${label}\``)
      .join(', ');
  };
  const rows = [...text.matchAll(/^# HELP (custody_\w+) (.*)\n# TYPE \w+ (\w+)$/gm)].map(
    ([, name = '', meaning, type]) => `| \`${name}\` | ${type} | ${labelsOf(name)} | ${meaning} |`,
  );
  const page = readFileSync('docs/metrics.md', 'utf8').match(/^\| `custody_.*$/gm);
  expect(rows.length).toBeGreaterThan(10);
  expect(page).toEqual(rows);
});
