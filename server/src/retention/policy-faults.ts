import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

export interface PolicyYaml {
  value: unknown;
  /** The text of each fault, with the field's name in the schema, line and column. */
  faultsOf(issues: readonly Issue[]): string[];
  /** ` (line 3, column 5)` of a field's name, or an empty text if the file does not have it. */
  placeOf(path: readonly string[]): string;
}

/**
 * Reads a policy's YAML. A policy names callers and cases, so nothing of its text may be printed or logged. The parser's
 * errors and warnings quote lines, so only the place is named.
 * @returns the text of the fault, if it cannot be read
 */
export function readYaml(text: string, unknownField = 'a field that no policy has'): PolicyYaml | string {
  const counter = new LineCounter();
  const place = (offset: number | undefined): string => {
    if (offset === undefined) return '';
    const { line, col } = counter.linePos(offset);
    return ` (line ${line}, column ${col})`;
  };
  try {
    const document = parseDocument(text, {
      strict: true,
      uniqueKeys: true,
      lineCounter: counter,
      // Without this the parser would write warnings to standard error.
      logLevel: 'error',
      prettyErrors: false,
    });
    const [error] = document.errors;
    if (error) {
      const what = error.code === 'DUPLICATE_KEY' ? 'a field appears twice' : 'it is not valid YAML';
      return `${what}${place(error.pos[0])}`;
    }
    const startOf = (node: unknown) => (isNode(node) ? node.range?.[0] : undefined);
    const nodeAt = (path: readonly PropertyKey[]): unknown =>
      path.length > 0 ? document.getIn([...path], true) : document.contents;
    return {
      value: document.toJS(),
      placeOf(path) {
        const parent = nodeAt(path.slice(0, -1));
        const named = isMap(parent)
          ? parent.items.find(({ key }) => isScalar(key) && String(key.value) === path.at(-1))
          : undefined;
        return place(startOf(named?.key));
      },
      faultsOf: (issues) =>
        issues.flatMap(({ path, code, message, ...issue }) => {
          const node = nodeAt(path);
          const field = path.length > 0 ? path.join('.') : 'the file';
          if (code !== 'unrecognized_keys' || !('keys' in issue))
            return `${field} ${message}${place(startOf(node))}`;
          const unknown = isMap(node)
            ? node.items.filter(({ key }) => isScalar(key) && issue.keys.includes(String(key.value)))
            : [];
          const each = unknown.map(({ key }) => `${field} has ${unknownField}${place(startOf(key))}`);
          return each.length > 0 ? each : `${field} has ${unknownField}${place(startOf(node))}`;
        }),
    };
  } catch {
    return 'cannot be read as YAML: write it without anchors and aliases';
  }
}
