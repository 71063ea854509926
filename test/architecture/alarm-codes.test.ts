import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alarmTable, isAlarmCode, onlyByHand } from '../../server/src/alarms/alarm-table.ts';
import { allJobs } from '../../server/src/start/jobs.ts';

/**
 * Which alarm codes the sources raise and resolve, read from the arguments of the calls that do it: codes in quotes, a
 * constant's name, and `<job>_failed` of a job that failed for good. An object `{ code, detail }` is an alarm that its
 * caller raises.
 */
const raising = ['raise', 'giveUp', 'notShown'];
const resolving = ['resolve'];

const folder = 'server/src';
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|(^|\/)testing\//.test(name))
  .filter((name) => name !== 'alarms/alarm-table.ts')
  .map((name) => readFileSync(join(folder, name), 'utf8'));

const jobs = allJobs.map(({ name }) => name);

/** What stands between the parentheses of each call of `name`. */
function argumentsOf(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`\\b${name}\\(`, 'g'))].map(({ index, 0: call }) => {
    const start = index + call.length;
    let depth = 1;
    let end = start;
    for (; depth > 0 && end < text.length; end += 1) depth += { '(': 1, ')': -1 }[text[end] ?? ''] ?? 0;
    return text.slice(start, end - 1);
  });
}

const quoted = (text: string): string[] => [...text.matchAll(/'(\w+)'/g)].map(([, code]) => code ?? '');

/** Of `const name = 'code'` or `const name = ['code', …]`, in this file or exported by another one. */
function constant(name: string, own: string): string[] {
  const declared = (exported: string) =>
    new RegExp(`^\\s*${exported}const ${name}(?:: [^=]+)? = ('\\w+'|\\[[^\\]]*\\])`, 'm');
  const here = declared('(?:export )?').exec(own);
  const found = here ?? files.map((text) => declared('export ').exec(text)).find((match) => match);
  return found ? quoted(found[1] ?? '') : [];
}

function codesIn(names: readonly string[], texts: readonly string[] = files): Set<string> {
  const found = texts.flatMap((text) =>
    names
      .flatMap((name) => argumentsOf(text, name))
      .flatMap((args) => [
        ...quoted(args),
        ...[...args.matchAll(/\b[a-z]\w*\b/gi)].flatMap(([name]) => constant(name, text)),
      ]),
  );
  return new Set(found.filter(isAlarmCode));
}

const passedOn = files.flatMap((text) =>
  [...text.matchAll(/\{ code: (\w+|'\w+'), detail/g)].flatMap(([, code = '']) => [
    ...quoted(code),
    ...constant(code, text),
  ]),
);
const ofJobs = jobs.map((job) => `${job}_failed`);
const raised = new Set([...codesIn(raising), ...passedOn, ...ofJobs]);
const resolved = codesIn(resolving);

test('the rule can fail', () => {
  expect(jobs).toEqual(expect.arrayContaining(['copy', 'janitor', 'trim']));
  const text =
    "await alarms.resolve(['sign_failed'], f(sid)); const code = 'copy_failed';\nraise(code, 'verify_failed')";
  expect([...codesIn(resolving, [text])]).toEqual(['sign_failed']);
  expect([...codesIn(raising, [text])]).toEqual(['verify_failed']);
  expect([...codesIn(raising, [text.replace('; const', ';\nconst')])]).toEqual([
    'verify_failed',
    'copy_failed',
  ]);
});

test.each(Object.keys(alarmTable))('%s is raised somewhere', (code) => {
  expect(raised).toContain(code);
});

test.each(Object.entries(alarmTable))(
  '%s is resolved somewhere, or the table says that only an operator does it',
  (code, row) => {
    expect(resolved.has(code)).toBe(row.resolvedBy !== onlyByHand);
  },
);
