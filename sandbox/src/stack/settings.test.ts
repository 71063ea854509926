import { readSettings, usage } from './settings.ts';

test('without anything it is the ports of the book and half a minute', () => {
  expect(readSettings([], {})).toEqual({
    ports: { sandbox: 4000, server: 4100, functions: 4200 },
    exit: false,
    seconds: 30,
    keys: 'file',
    help: false,
  });
});

test('ports move by the environment, the call by the command line', () => {
  const settings = readSettings(['--exit', '--seconds', '3600', '--keys', 'kms'], {
    SANDBOX_PORT: '5000',
    PORT: '5100',
    FUNCTIONS_PORT: '5200',
  });
  expect(settings).toMatchObject({
    ports: { sandbox: 5000, server: 5100, functions: 5200 },
    exit: true,
    seconds: 3600,
    keys: 'kms',
  });
});

test.each([
  [['--seconds', '0'], {}, '--seconds must be a whole number from 1 to 36000'],
  [['--seconds', '1.5'], {}, '--seconds'],
  [[], { PORT: '70000' }, 'PORT must be a whole number from 1 to 65535'],
  [[], { SANDBOX_PORT: 'x' }, 'SANDBOX_PORT'],
  [['--keys', 'paper'], {}, '--keys must be file or kms'],
  [['--exti'], {}, "'--exti'"],
  [['now'], {}, 'now'],
])('%j %j: says what is wrong', (args, environment, message) => {
  expect(() => readSettings(args, environment)).toThrow(message);
});

test('the help names every option and every variable', () => {
  for (const word of ['--exit', '--seconds', '--keys', '--help', 'SANDBOX_PORT', 'PORT', 'FUNCTIONS_PORT']) {
    expect(usage).toContain(word);
  }
});
