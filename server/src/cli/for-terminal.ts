/**
 * A text as a terminal may have it. What others wrote (a server that answers, a file, a task's attributes) could else move the
 * cursor, set the title or clear what was said before: control characters, directions of writing and the like become `?`.
 */
export const forTerminal = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (found) =>
    found === '\n' || found === '\t' ? found : '?',
  );

type Says = 'log' | 'info' | 'warn' | 'error';

/** Everything that the command line says goes through it, so that no command has to think of it. */
export function onlyPlainText(to: Pick<Console, Says>): void {
  for (const name of ['log', 'info', 'warn', 'error'] as const) {
    const say = to[name].bind(to) as (...words: unknown[]) => void;
    to[name] = (...words: unknown[]) =>
      say(...words.map((word) => (typeof word === 'string' ? forTerminal(word) : word)));
  }
}
