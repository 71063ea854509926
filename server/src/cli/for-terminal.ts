/**
 * Makes a text safe for a terminal: control characters, marks of direction and the like become `?`. Text from outside (an answer
 * of a server, a file, a task's attributes) could otherwise move the cursor, set the title or clear earlier output.
 */
export const forTerminal = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (found) =>
    found === '\n' || found === '\t' ? found : '?',
  );

type Says = 'log' | 'info' | 'warn' | 'error';

/** Applies it to everything that the command line prints. */
export function onlyPlainText(to: Pick<Console, Says>): void {
  for (const name of ['log', 'info', 'warn', 'error'] as const) {
    const say = to[name].bind(to) as (...words: unknown[]) => void;
    to[name] = (...words: unknown[]) =>
      say(...words.map((word) => (typeof word === 'string' ? forTerminal(word) : word)));
  }
}
