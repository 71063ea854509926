import { createLog } from '../../log.ts';
import type { BrevoConfig } from './config/brevo-config.ts';
import { connectorLog } from './connector-log.ts';

type Given = Pick<BrevoConfig, 'debug' | 'log_level'>;

test.each<[given: Given, levels: string[]]>([
  [{ debug: false }, ['info', 'error']],
  [{ debug: false, log_level: 'error' }, ['error']],
  [{ debug: false, log_level: 'debug' }, ['debug', 'info', 'error']],
  [{ debug: false, log_level: 'verbose' }, ['trace', 'debug', 'info', 'error']],
  [{ debug: true }, ['debug', 'info', 'error']],
  [{ debug: true, log_level: 'error' }, ['debug', 'info', 'error']],
  [{ debug: true, log_level: 'verbose' }, ['trace', 'debug', 'info', 'error']],
])('a file with %j logs %j on a host with the level info, without secrets', (given, levels) => {
  const lines: string[] = [];
  const log = connectorLog(createLog('info', { write: (line) => void lines.push(line) }), given);
  for (const level of ['trace', 'debug', 'info', 'error'] as const) log[level]({ to: '+34600111222' }, 'x');
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(levels);
  for (const line of lines) {
    expect(JSON.parse(line)).toMatchObject({ connector: 'brevo' });
    expect(line).not.toContain('600111222');
  }
});
