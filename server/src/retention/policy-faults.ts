import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

export interface PolicyYaml {
  value: unknown;
  /** Each fault of what was read, in the schema's words: the field by the schema's name for it, line and column. */
  faultsOf(issues: readonly Issue[]): string[];
}

/**
 * Reads a policy's YAML. A policy names callers and cases, so nothing of its text may be printed or logged. The parser's errors
 * and warnings quote lines: they are kept back, and the place is named instead.
 * @returns the fault, as words, where it cannot be read
 */
export function readYaml(text: string): PolicyYaml | string {
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
      // Warnings, which would be written to standard error.
      logLevel: 'error',
      prettyErrors: false,
    });
    const [error] = document.errors;
    if (error) {
      const what = error.code === 'DUPLICATE_KEY' ? 'a field is there twice' : 'it is no YAML';
      return `${what}${place(error.pos[0])}`;
    }
    const startOf = (node: unknown) => (isNode(node) ? node.range?.[0] : undefined);
    const nodeAt = (path: readonly PropertyKey[]): unknown =>
      path.length > 0 ? document.getIn([...path], true) : document.contents;
    return {
      value: document.toJS(),
      faultsOf: (issues) =>
        issues.flatMap(({ path, code, message, ...issue }) => {
          const node = nodeAt(path);
          const field = path.length > 0 ? path.join('.') : 'the file';
          if (code !== 'unrecognized_keys' || !('keys' in issue))
            return `${field} ${message}${place(startOf(node))}`;
          const unknown = isMap(node)
            ? node.items.filter(({ key }) => isScalar(key) && issue.keys.includes(String(key.value)))
            : [];
          const each = unknown.map(
            ({ key }) => `${field} has a field that no policy has${place(startOf(key))}`,
          );
          return each.length > 0 ? each : `${field} has a field that no policy has${place(startOf(node))}`;
        }),
    };
  } catch {
    return 'it is no YAML that can be read: write it without anchors and aliases';
  }
}
