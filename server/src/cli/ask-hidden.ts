import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CustodyError } from '@flex-custody/core';

/** A terminal; tests use another stream. */
export interface Terminal {
  input: NodeJS.ReadableStream;
  output: { write(text: string): unknown };
}

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

/**
 * Asks questions, one after the other, and shows nothing of what is typed.
 * @throws CustodyError `interrupted` by Ctrl-C or Ctrl-D
 */
export async function askHidden(
  questions: readonly string[],
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<string[]> {
  // As a terminal, readline turns the echo off and writes itself what is typed: to nowhere.
  const lines = createInterface({ input, output: nowhere(), terminal: true, historySize: 0 });
  const typed: string[] = [];
  try {
    return await new Promise((resolve, reject) => {
      const end = () => reject(new CustodyError('interrupted', 'nothing was stored'));
      lines.once('SIGINT', end).once('close', end);
      lines.on('line', (line) => {
        typed.push(line);
        const next = questions[typed.length];
        output.write(next === undefined ? '\n' : `\n${next}`);
        if (next === undefined) resolve(typed);
      });
      output.write(questions[0] ?? '');
    });
  } finally {
    lines.close();
  }
}
