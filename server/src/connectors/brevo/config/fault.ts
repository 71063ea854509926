/** What is wrong with a place of the file. */
export interface Fault {
  /** Keys from the top of the file; empty: the file as a whole. */
  path: readonly string[];
  /** Continues a sentence that begins with the place: the bound, a colon, and the next step. It quotes no value. */
  message: string;
}

/** A place as a message names it: short, and without what a terminal would execute. */
export const nameOf = (path: readonly string[]): string =>
  path.length === 0
    ? 'the file'
    : path.map((key) => key.slice(0, 128).replaceAll(/[^\w .:-]/g, '?')).join('.');
