import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where plain English is checked: a file, or all pages and sources of a folder. */
const places = [
  'README.md',
  'SECURITY.md',
  'docs',
  'functions',
  'packages/core/src',
  'packages/net/src',
  'packages/twilio/src',
  'packages/vault/src',
  'plugin-recording/README.md',
  'plugin-recording/src',
  'plugin-veridas/src',
  'plugins.mjs',
  'sandbox/media/README.md',
  'sandbox/src',
  'server/src',
];

/** What each is to be replaced by is in docs/glossary.md, or is a plainer word. */
const refused =
  /\b(anew|whoever|nobody|somebody|everybody|anybody|hearsay|mend(s|ed|ing)?|stands|stood|lies|lay|vouch(es|ed)?|goes on|went on|gone on with|let go|as wished|none the worse|own accord|(is|are|was|were|be|been) (told|heard)|(hold|held)s? (\w+ ){0,4}against)\b/gi;

/** Exact texts that may hold such a word. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'docs/reconcile.md': ['--anew', 'Goes on from where the run of'],
  'sandbox/src/stack/ports.ts': ['Whoever listens on one has it'],
  // The option --anew and its query parameter.
  'server/src/cli/catalog.ts': ['anew'],
  'server/src/cli/connector-sync.ts': ['anew'],
  'server/src/cli/connector-test.ts': ['anew'],
  'server/src/cli/erase.ts': ['anew'],
  'server/src/cli/reconcile.ts': ['anew'],
  'server/src/cli/recorder-periods.ts': ['anew'],
  'server/src/cli/recorder-setup.ts': ['anew'],
  'server/src/cli/rotate-keys.ts': ['anew'],
  'server/src/cli/run-work.ts': ['anew'],
  'server/src/http/operators/operator-api.ts': ['anew'],
  'server/src/http/operators/remote.ts': ['anew'],
  'server/src/http/operators/routes.ts': ['anew'],
  'server/src/runs/runs.ts': ['anew'],
};

/** Not a test, and not a migration, whose text stays as it was released. */
const isRead = (name: string) =>
  /\.(md|ts|tsx|js|mjs|cjs|html)$/.test(name) && !/\.test\.|(^|\/)migrations\/\d/.test(name);

function filesOf(place: string): string[] {
  if (!statSync(place).isDirectory()) return [place];
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter((name) => isRead(name) && !name.includes('node_modules'))
    .map((name) => join(place, name));
}

const files = places.flatMap(filesOf);

/** Places of refused words, as `file:line: word`. */
function found(file: string, text: string): string[] {
  const exceptions = allowed[file] ?? [];
  const rest = exceptions.reduce((kept, exception) => kept.replaceAll(exception, ''), text);
  return rest
    .split('\n')
    .flatMap((line, index) => [...line.matchAll(refused)].map(([word]) => `${file}:${index + 1}: ${word}`));
}

test('the list of words is tried', () => {
  expect(found('x', 'Nobody is told.\nHold it against its digest, or mend it.')).toEqual([
    'x:1: Nobody',
    'x:1: is told',
    'x:2: Hold it against',
    'x:2: mend',
  ]);
  expect(found('docs/reconcile.md', '`--anew` starts anew')).toEqual(['docs/reconcile.md:1: anew']);
  expect(files.length).toBeGreaterThan(200);
});

test('docs, messages and comments are in plain English', () => {
  expect(files.flatMap((file) => found(file, readFileSync(file, 'utf8')))).toEqual([]);
});
