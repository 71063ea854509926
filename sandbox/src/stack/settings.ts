import { parseArgs } from 'node:util';

export interface Settings {
  ports: { sandbox: number; server: number; functions: number };
  /** Play one call, print a summary, end. */
  exit: boolean;
  seconds: number;
  keys: 'file' | 'kms';
  help: boolean;
}

export const usage = `Usage: npm start [-- options]

Brings up the whole local stack, plays one call through, and stays for more.

  --exit         play the call, print a JSON summary as the last line, and end;
                 status 0 only if it was sealed, linked, verified and played back byte for byte
  --keys kms     recordings are sealed by keys of a KMS, instead of a file's
  --seconds N    length of the call (1 to 36000; 30 by default)
  --help         this text

Ports move by SANDBOX_PORT (4000), PORT (4100) and FUNCTIONS_PORT (4200). Where one
is taken, a command that moves all three is printed.
`;

/** The one reader of the stack's command line and environment. @throws Error that says what to correct */
export function readSettings(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      exit: { type: 'boolean' },
      seconds: { type: 'string' },
      keys: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  return {
    ports: {
      sandbox: port(environment, 'SANDBOX_PORT', 4000),
      server: port(environment, 'PORT', 4100),
      functions: port(environment, 'FUNCTIONS_PORT', 4200),
    },
    exit: values.exit ?? false,
    keys: keysIn(values.keys ?? 'file'),
    seconds: whole('--seconds', values.seconds ?? '30', 1, 36_000),
    help: values.help ?? false,
  };
}

function keysIn(text: string): Settings['keys'] {
  if (text !== 'file' && text !== 'kms') throw new Error('--keys must be file or kms');
  return text;
}

function port(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
  otherwise: number,
): number {
  const text = environment[name];
  return text ? whole(name, text, 1, 65_535) : otherwise;
}

function whole(name: string, text: string, from: number, to: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < from || value > to) {
    throw new Error(`${name} must be a whole number from ${from} to ${to}`);
  }
  return value;
}
