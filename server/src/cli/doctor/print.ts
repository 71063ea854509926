import { forTerminal } from '../for-terminal.ts';
import type { Finding } from './finding.ts';

const marks = { ok: 'ok  ', note: 'note', fix: 'FIX ' } as const;
const nameColumn = 15;
const indent = ' '.repeat(2 + 4 + 2 + nameColumn + 2);

/** For a person: in groups, one line each, wrapped at `columns`; below a fault its next step, after an arrow. */
export function textOf(findings: readonly Finding[], columns = 100): string {
  const width = Math.max(40, Math.min(columns, 100)) - indent.length;
  const lines: string[] = [];
  let group = '';
  for (const finding of findings) {
    if (finding.group !== group) lines.push(...(group === '' ? [] : ['']), finding.group);
    group = finding.group;
    const [first = '', ...rest] = wrapped(forTerminal(finding.detail), width);
    lines.push(`  ${marks[finding.level]}  ${finding.name.padEnd(nameColumn)}  ${first}`.trimEnd());
    lines.push(...rest.map((line) => indent + line));
    if (finding.next === '') continue;
    const [start = '', ...more] = wrapped(forTerminal(finding.next), width - 2);
    lines.push(`${indent}→ ${start}`, ...more.map((line) => `${indent}  ${line}`));
  }
  return [...lines, '', summary(findings)].join('\n');
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  const faults = count('fix');
  if (faults === 0) return `Nothing must be fixed (${findings.length} checks, ${count('note')} notes).`;
  return `${faults} of ${findings.length} must be fixed.`;
}

/** At spaces; a word that is longer than a line, such as an address, stays whole. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** For a program: `{checks: [{name, ok, detail, next}]}`; a note is ok. */
export function jsonOf(findings: readonly Finding[]): { checks: object[] } {
  const found = findings.map(({ name, level, detail, next }) => ({
    name,
    ok: level !== 'fix',
    detail,
    next,
  }));
  return { checks: found };
}
