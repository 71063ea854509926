/** Nesting beyond it is no event of Twilio's, and could exhaust the stack of a JSON parser. */
const mostDepth = 64;

/** Parses JSON, and the JSON that a text in it holds, `times` at most. @returns undefined if it is no object in the end */
export function objectIn(value: unknown, times: number): Readonly<Record<string, unknown>> | undefined {
  let found = value;
  for (let left = times; left > 0 && typeof found === 'string'; left -= 1) {
    try {
      found = JSON.parse(found);
    } catch {
      return undefined;
    }
  }
  return typeof found === 'object' && found !== null && !Array.isArray(found)
    ? (found as Readonly<Record<string, unknown>>)
    : undefined;
}

/** Whether objects and arrays are nested deeper than any event of Twilio's. */
export function isTooDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > mostDepth) return true;
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return false;
}

/** U+0000 and halves of surrogate pairs, which PostgreSQL stores neither as text nor in jsonb. */
const unstorable = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

export const isStorable = (text: string): boolean => text.search(unstorable) < 0;

/** With U+FFFD in place of characters that PostgreSQL refuses. */
export const storableText = (text: string): string => text.replace(unstorable, '\ufffd');

/** JSON of a value, with U+FFFD in place of characters that PostgreSQL refuses. */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value);
  // JSON.stringify escapes both kinds; a backslash that is escaped itself begins no escape.
  return json.includes('\\u')
    ? json.replaceAll(/\\(?:u0000|u[dD][89a-fA-F][\da-fA-F]{2}|.)/g, (one) =>
        /^\\u(?:0000|d)/i.test(one) ? '\\ufffd' : one,
      )
    : json;
}
