import { createInterface } from 'node:readline/promises';

/** Asks on standard error, since standard output is for results. @returns the answer without spaces around it */
export async function askText(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(question)).trim();
  } finally {
    terminal.close();
  }
}
