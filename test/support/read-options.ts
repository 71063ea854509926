import { type ParseArgsConfig, parseArgs } from 'node:util';

/** The command line's options; what it cannot be is said in a line before the usage, and ends the process with 2. */
export function readOptions<T extends ParseArgsConfig>(
  config: T,
  usage: string,
): ReturnType<typeof parseArgs<T>>['values'] {
  try {
    return parseArgs(config).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exit(2);
  }
}
