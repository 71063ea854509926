/** The plugin's one way to the browser's console. Neither tokens nor attributes of a call belong here. */
const prefix = '[flex-custody recording]';

export type Log = (message: string, facts?: Readonly<Record<string, unknown>>) => void;

export const warn: Log = (message, facts) => {
  // biome-ignore lint/suspicious/noConsole: a browser has no other log
  console.warn(prefix, message, ...(facts ? [facts] : []));
};
