import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allJobs } from '../../server/src/start/jobs.ts';

const folder = 'server/src';
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|(^|\/)testing\//.test(name))
  .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));

const names = allJobs.map(({ name }) => name);
const declaredIn = (text: string) =>
  [...text.matchAll(/define(?:Scheduled)?Job\(\{\s*name: '([\w-]+)'/g)].map(([, name]) => name);
const callsIn = (text: string) => [...text.matchAll(/(?<!function )\bdefine(?:Scheduled)?Job\(/g)];

test('every declared job is among those that a queue is opened with, under a name of its own', () => {
  expect(declaredIn("defineJob({\n name: 'a-b', x });\ndefineScheduledJob({ name: 'c' })")).toEqual([
    'a-b',
    'c',
  ]);
  expect(files.flatMap(({ text }) => declaredIn(text)).sort()).toEqual([...names].sort());
  expect(new Set(names).size).toBe(names.length);
  expect(files.flatMap(({ text }) => callsIn(text))).toHaveLength(names.length);
});

test('a worker runs each job that is declared', () => {
  const runIn = (text: string) =>
    [...text.matchAll(/\b(?:running|jobRunner\([\w.]+\))\(\w+Jobs\.(\w+),/g)].map(([, key = '']) =>
      key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    );
  expect(runIn('running(aJobs.watchPause, {\njobRunner(deps.alarms)(bJobs.c, x)')).toEqual([
    'watch-pause',
    'c',
  ]);
  expect(files.flatMap(({ text }) => runIn(text)).sort()).toEqual([...names].sort());
});

test('no former name of a job is in use', () => {
  const former = allJobs.flatMap(({ formerly }) => formerly);
  expect(former.filter((name) => names.includes(name))).toEqual([]);
});

test('the queue knows no job by its name', () => {
  const named = (text: string) => names.filter((name) => new RegExp(`['"\`]${name}\\b['"\`.]`).test(text));
  expect(named("x === 'copy' || y === `verify.dead`")).toEqual(['copy', 'verify']);
  const found = files
    .filter(({ name }) => name.startsWith('queue/'))
    .flatMap(({ name, text }) => named(text).map((job) => `${name}: ${job}`));
  expect(found).toEqual([]);
});
