import { isObject } from '@flex-custody/core';
import { CommanderError } from 'commander';
import { fieldOf, isKey, isSecretKey, secretName } from '../recorder/data-source/fields.ts';

/** One KEY=VALUE of a command line. */
export interface Assignment {
  key: string;
  text: string;
}

/** @throws CommanderError for what is no assignment, and for a secret on the command line, which other users can read */
export function assignmentOf(word: string): Assignment {
  const at = word.indexOf('=');
  if (at < 1) throw wrong('give KEY=VALUE, such as longCallMinutes=90');
  const [key, text] = [word.slice(0, at), word.slice(at + 1)];
  if (isSecretKey(key) && !/^(|set|unset)$/.test(text))
    throw wrong(
      `a secret must not be on the command line, which other users can see: flex-custody secrets set ${secretName(key)}`,
    );
  return { key, text };
}

/** Unlike an InvalidArgumentError it does not print the word, which may have a secret in it. */
const wrong = (message: string) => new CommanderError(2, 'flex-custody.assignment', message);

/** The settings with the assignments in them. */
export function withAssignments(
  settings: Readonly<Record<string, unknown>>,
  assignments: readonly Assignment[],
): Record<string, unknown> {
  const all: Record<string, unknown> = { ...settings };
  for (const { key, text } of assignments) {
    const [, advanced] = /^advanced\.(.+)$/.exec(key) ?? [];
    if (advanced === undefined) all[key] = typedOf(key, text);
    else all['advanced'] = { ...(isObject(all['advanced']) ? all['advanced'] : {}), [advanced]: text };
  }
  return all;
}

/** The value that a text of the command line means; one that has another form stays a text, and is refused as such. */
function typedOf(key: string, text: string): unknown {
  if (text === '' || !isKey(key)) return text;
  switch (fieldOf(key).kind) {
    case 'whole':
      return /^-?\d{1,9}$/.test(text) ? Number(text) : text;
    case 'flag':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'list':
      return text.split(',').map((item) => item.trim());
    default:
      return text;
  }
}
