import { isDeepStrictEqual } from 'node:util';
import type { JsonEdit, JsonItem, JsonPath } from '@flex-custody/core';
import { type Node, parseTree } from 'jsonc-parser';

/**
 * The JSON text with the edits made, and every other character as it was: numbers that JavaScript would round, spacing,
 * escapes, the order of members. Where an object names a key twice, the last is the one that every reader sees, and the
 * one that is edited. A member that already has the value keeps its text.
 * @param text strict JSON of an object
 * @throws SyntaxError where it is not
 */
export function editJson(text: string, edits: readonly JsonEdit[]): string {
  return edits.reduce((before, edit) => {
    const [first, ...rest] = edit.path;
    const root = objectAt(before);
    if (first === undefined) throw new TypeError('an edit names no member');
    return edited({ text: before, object: root, name: first, rest }, edit);
  }, text);
}

/**
 * The text of a member's value as it is in the document; undefined where there is none.
 * @throws SyntaxError where the document is no strict JSON object
 */
export function jsonTextAt(text: string, path: JsonPath): string | undefined {
  let node: Node | undefined = objectAt(text);
  for (const name of path) node = node && memberOf(node, name)?.value;
  return node && textOf(text, node);
}

/** The same document without the white space between its tokens. */
export function compactJson(text: string): string {
  return text.replace(/("[^"\\]*(?:\\.[^"\\]*)*")|[ \t\r\n]+/g, (_all, quoted?: string) => quoted ?? '');
}

interface Place {
  text: string;
  object: Node;
  name: string;
  rest: JsonPath;
}

interface Member {
  whole: Node;
  key: Node;
  value: Node;
}

function objectAt(text: string): Node {
  // The parser forgives comments, trailing commas and more; Twilio does not.
  JSON.parse(text);
  const root = parseTree(text);
  if (root?.type !== 'object') throw new SyntaxError('the document is no JSON object');
  return root;
}

function edited({ text, object, name, rest }: Place, edit: JsonEdit): string {
  const member = memberOf(object, name);
  const [next, ...further] = rest;
  if (member && next !== undefined && member.value.type === 'object')
    return edited({ text, object: member.value, name: next, rest: further }, edit);
  if (next === undefined && 'value' in edit && edit.value === undefined) return without(text, object, name);
  if (next !== undefined && 'value' in edit && edit.value === undefined) return text;
  const value =
    next === undefined && 'items' in edit
      ? listText(text, member?.value, edit.items)
      : JSON.stringify(rest.reduceRight<unknown>((inner, key) => ({ [key]: inner }), plainValue(edit)));
  if (!member) return withMember(text, object, name, value);
  if (isDeepStrictEqual(JSON.parse(textOf(text, member.value)), JSON.parse(value))) return text;
  return replaced(text, member.value.offset, endOf(member.value), value);
}

/** What an edit sets where nothing is there to be kept. */
function plainValue(edit: JsonEdit): unknown {
  if ('value' in edit) return edit.value;
  return edit.items.flatMap((item) => ('put' in item ? [item.put] : []));
}

function membersOf(object: Node): Member[] {
  return (object.children ?? []).flatMap((whole) => {
    const [key, value] = whole.children ?? [];
    return key && value ? [{ whole, key, value }] : [];
  });
}

const memberOf = (object: Node, name: string): Member | undefined =>
  membersOf(object).findLast(({ key }) => key.value === name);

const endOf = ({ offset, length }: Node): number => offset + length;
const textOf = (text: string, node: Node): string => text.slice(node.offset, endOf(node));
const replaced = (text: string, from: number, to: number, by: string): string =>
  text.slice(0, from) + by + text.slice(to);

/** A new member comes last, spaced as the one before it. */
function withMember(text: string, object: Node, name: string, value: string): string {
  const all = membersOf(object);
  const last = all.at(-1);
  const key = JSON.stringify(name);
  if (!last) return replaced(text, object.offset + 1, object.offset + 1, `${key}:${value}`);
  const end = endOf(last.whole);
  const before = all.at(-2);
  const gap = before
    ? text.slice(endOf(before.whole), last.whole.offset)
    : `,${text.slice(object.offset + 1, last.whole.offset)}`;
  return replaced(text, end, end, `${gap}${key}${text.slice(endOf(last.key), last.value.offset)}${value}`);
}

/** Removes each member of that name: without the last one, an earlier one would count. */
function without(text: string, object: Node, name: string): string {
  const all = membersOf(object);
  let kept = text;
  // From the end, so that the offsets of those before stay true.
  for (const [index, { whole, key }] of [...all.entries()].reverse()) {
    if (key.value !== name) continue;
    const previous = all.slice(0, index).some((one) => one.key.value !== name) ? all[index - 1] : undefined;
    const from = previous ? endOf(previous.whole) : whole.offset;
    const to = previous ? endOf(whole) : (all[index + 1]?.whole.offset ?? endOf(whole));
    kept = replaced(kept, from, to, '');
  }
  return kept;
}

/** The list with its items in their new order; items that follow each other as before are spaced as before. */
function listText(text: string, list: Node | undefined, items: readonly JsonItem[]): string {
  const old = list?.type === 'array' ? (list.children ?? []) : [];
  const [first, second] = old;
  const last = old.at(-1);
  const lead = list && first ? text.slice(list.offset + 1, first.offset) : '';
  const tail = list && last ? text.slice(endOf(last), endOf(list) - 1) : '';
  const gap = first && second ? text.slice(endOf(first), second.offset) : `,${lead}`;
  const pieces = items.map((item, index) => {
    if ('put' in item) return (index === 0 ? '' : gap) + JSON.stringify(item.put);
    const node = old[item.kept];
    if (!node) throw new TypeError('an edit keeps an item that is not there');
    const previous = items[index - 1];
    const neighbour = previous && 'kept' in previous && previous.kept === item.kept - 1;
    const from = neighbour ? old[item.kept - 1] : undefined;
    const before = from ? text.slice(endOf(from), node.offset) : gap;
    return (index === 0 ? '' : before) + textOf(text, node);
  });
  return `[${lead}${pieces.join('')}${tail}]`;
}
