import { objectIn } from '../recorder/sessions/facts/values.ts';

type Attributes = Record<string, unknown>;

/** Objects in objects are merged so deep; below, the newer one replaces the older one. */
const depth = 4;
/** A name by which an object would change what it inherits. */
const refused = new Set(['__proto__', 'constructor', 'prototype']);

const isObject = (value: unknown): value is Attributes =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Attributes by name, each as the last of them has it. @param all the oldest first; an object, or a text that holds one */
export function mergedAttributes(all: readonly unknown[]): Attributes {
  const merged: Attributes = {};
  for (const one of all) merge(merged, objectIn(one), depth);
  return merged;
}

function merge(into: Attributes, from: Attributes, left: number): void {
  for (const [name, value] of Object.entries(from)) {
    if (refused.has(name)) continue;
    const before = into[name];
    if (left > 0 && isObject(value)) {
      const own: Attributes = {};
      if (isObject(before)) merge(own, before, left);
      merge(own, value, left - 1);
      into[name] = own;
    } else into[name] = value;
  }
}

/** What an attribute of a path such as `conversations.conversation_measure_1` has; undefined where it is not there. */
export function attributeAt(attributes: unknown, path: string): unknown {
  let at: unknown = objectIn(attributes);
  for (const name of path.split('.')) {
    if (!isObject(at) || !Object.hasOwn(at, name)) return undefined;
    at = at[name];
  }
  return at ?? undefined;
}
