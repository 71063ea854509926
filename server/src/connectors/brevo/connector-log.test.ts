import { createLog } from '../../log.ts';
import type { BrevoConfig } from './config/brevo-config.ts';
import { connectorLog } from './connector-log.ts';
import type { BrevoCall } from './send.ts';

type Given = Partial<Pick<BrevoConfig, 'debug' | 'log_api_calls' | 'log_level'>>;

const call: BrevoCall = {
  ...{ of: 'contacts', method: 'GET', route: '/contacts/{id}', outcome: 'done', status: 200, ms: 3 },
};

function linesOf(given: Given, levelOfHost: 'info' | 'error' = 'info') {
  const lines: string[] = [];
  const log = connectorLog(createLog(levelOfHost, { write: (line) => void lines.push(line) }), {
    ...{ debug: false, log_api_calls: false },
    ...given,
  });
  for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]({ to: '+34600111222' }, 'x');
  log.asked(call);
  const read = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { lines, read };
}

test.each<[given: Given, levels: string[]]>([
  [{}, ['info', 'warn', 'error']],
  [{ log_level: 'error' }, ['error']],
  [{ log_level: 'warn' }, ['warn', 'error']],
  [{ log_level: 'info' }, ['info', 'warn', 'error']],
  [{ log_level: 'debug' }, ['debug', 'info', 'warn', 'error']],
  [{ log_level: 'verbose' }, ['debug', 'info', 'warn', 'error', 'trace']],
  [{ debug: true }, ['debug', 'info', 'warn', 'error']],
  [{ debug: true, log_level: 'error' }, ['debug', 'info', 'warn', 'error']],
  [{ debug: true, log_level: 'verbose' }, ['debug', 'info', 'warn', 'error', 'trace']],
])('a file with %j logs %j on a host with the level info, without secrets', (given, levels) => {
  const { lines, read } = linesOf(given);
  expect(read.map(({ level }) => level)).toEqual(levels);
  expect(read.filter(({ connector }) => connector !== 'brevo')).toEqual([]);
  expect(lines.join()).not.toContain('600111222');
});

test.each<[given: Given, level: string | undefined]>([
  [{}, undefined],
  [{ log_api_calls: true }, 'info'],
  [{ log_api_calls: true, log_level: 'error' }, 'info'],
  [{ log_api_calls: true, log_level: 'verbose' }, 'info'],
  [{ log_level: 'verbose' }, 'trace'],
])('a file with %j logs requests with the level %s', (given, level) => {
  for (const host of ['info', 'error'] as const) {
    const asked = linesOf(given, host).read.filter(({ event }) => event === 'brevo.asked');
    expect(asked.map((line) => line['level'])).toEqual(level === undefined ? [] : [level]);
    for (const line of asked) expect(line).toMatchObject({ ...call, connector: 'brevo' });
  }
});

test('a log without levels takes what it knows', () => {
  const lines: string[] = [];
  const write = (_: object, message: string) => void lines.push(message);
  const log = connectorLog({ info: write, warn: write, error: write }, { debug: true, log_api_calls: true });
  log.debug({}, 'detail');
  log.warn({}, 'fault');
  log.asked(call);
  expect(lines).toEqual(['fault', 'a request to Brevo']);
});
