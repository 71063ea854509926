/** The plugin's one way to the browser's console. Neither tokens nor a caller's number belong here. */
const prefix = '[flex-custody veridas]';

export type Log = (message: string, facts?: unknown) => void;

export const warn: Log = (message, facts) => {
  // biome-ignore lint/suspicious/noConsole: a browser has no other log
  console.warn(prefix, message, ...(facts === undefined ? [] : [facts]));
};
