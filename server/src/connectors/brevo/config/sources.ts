/** Sources that the connector computes; every other source is an attribute of the task. */
export const computedSources = [
  'identity',
  'friendly_name',
  'last_conversation_date',
  'total_conversations',
  'avg_wait_time',
  'avg_talk_time',
  'last_csat_score',
  'preferred_channel',
] as const;
export type ComputedSource = (typeof computedSources)[number];

/** Where a value comes from; `path` is below the task's attributes. */
export type Source =
  | { kind: 'computed'; name: ComputedSource }
  | { kind: 'attribute'; name: string; path: readonly string[] };

const isComputed = (name: string): name is ComputedSource => computedSources.some((one) => one === name);
/** Without what a typing error changes most often. */
const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z]|s(?=_|$)/g, '');

/** @returns the source, or what is wrong with its name, which continues a sentence that begins with the name */
export function readSource(name: string): Source | string {
  if (isComputed(name)) return { kind: 'computed', name };
  const path = pathOf(name);
  if (path === undefined)
    return 'must be a source, or the path of a task attribute such as attributes.email: names of 1 to 128 characters with dots between';
  const meant =
    path.length === 1 && !name.startsWith('attributes.')
      ? computedSources.find((one) => plain(one) === plain(name))
      : undefined;
  if (meant)
    return `is almost the name of a source: write ${meant}, or attributes.${name} for the task attribute`;
  return { kind: 'attribute', name: `attributes.${path.join('.')}`, path };
}

/** The path below the task's attributes, with or without `attributes.` before it; undefined if it is none. */
export function pathOf(name: string): readonly string[] | undefined {
  const path = name.replace(/^attributes\./, '').split('.');
  const isPath =
    path.length <= 9 && path.every((key) => key.length <= 128 && /^[^\s\p{Cc}](.*\S)?$/u.test(key));
  return isPath ? path : undefined;
}
