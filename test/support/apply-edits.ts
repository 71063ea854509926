import type { JsonEdit, JsonPath } from '@flex-custody/core';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What edits mean, on the parsed document: the editor of its text is held to this. */
export function applyEdits(document: unknown, edits: readonly JsonEdit[]): unknown {
  return edits.reduce((before, edit) => placed(before, edit.path, edit), document);
}

function placed(found: unknown, [name, ...rest]: JsonPath, edit: JsonEdit): unknown {
  if (name === undefined) return 'items' in edit ? listed(found, edit.items) : edit.value;
  const removes = 'value' in edit && edit.value === undefined;
  if (removes && (!isObject(found) || !Object.hasOwn(found, name))) return found;
  if (removes && rest.length > 0 && !isObject((found as Record<string, unknown>)[name])) return found;
  const members = new Map(isObject(found) ? Object.entries(found) : []);
  const next = placed(members.get(name), rest, edit);
  if (next === undefined) members.delete(name);
  else members.set(name, next);
  return Object.fromEntries(members);
}

function listed(found: unknown, items: Extract<JsonEdit, { items: unknown }>['items']): unknown[] {
  const old: readonly unknown[] = Array.isArray(found) ? found : [];
  return items.map((item) => ('put' in item ? item.put : old[item.kept]));
}
