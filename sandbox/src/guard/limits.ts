/**
 * What Twilio's platform lets through to a Function, as pure rules.
 * Source: https://www.twilio.com/docs/serverless/functions-assets/functions/limitations and its pages on headers.
 */
export const platformLimits = {
  headerBytes: 15 * 1024,
  headerCount: 90,
  bodyBytes: 6 * 1024 * 1024,
  runMs: 10_000,
} as const;

const strippedPrefixes = ['i-twilio-', 'i-t-', 'ot-', 'x-amz', 'x-forwarded-', 'x-accel-'];
const strippedNames = new Set([
  'via',
  'referer',
  'transfer-encoding',
  'proxy-authorization',
  'proxy-authenticate',
  'x-real-ip',
  'connection',
  'keep-alive',
  'proxy-connection',
  'expect',
  'trailer',
  'upgrade',
]);

/** Headers as a Function gets to see them: names in lower case, pairs in a flat list as Node gives them. */
export function passedHeaders(raw: readonly string[]): [name: string, value: string][] {
  return pairs(raw).filter(
    ([name]) => !strippedNames.has(name) && !strippedPrefixes.some((prefix) => name.startsWith(prefix)),
  );
}

/** Whether the platform would answer 431 (error 82008). */
export function headersTooLarge(raw: readonly string[]): boolean {
  const all = pairs(raw);
  const bytes = all.reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 4,
    0,
  );
  return all.length > platformLimits.headerCount || bytes > platformLimits.headerBytes;
}

function pairs(raw: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) result.push([(raw[i] ?? '').toLowerCase(), raw[i + 1] ?? '']);
  return result;
}

export type Visibility = 'public' | 'protected' | 'private';

/**
 * The URL and the visibility that a deployed file gets from its name.
 * @param name path inside the functions or assets folder, with `/` between its parts
 */
export function deployedAs(
  name: string,
  kind: 'function' | 'asset',
): { path: string; visibility: Visibility } {
  const visibility = (/\.(protected|private)\.[^./]+$/.exec(name)?.[1] ?? 'public') as Visibility;
  const plain = visibility === 'public' ? name : name.replace(`.${visibility}.`, '.');
  return { path: `/${kind === 'function' ? plain.replace(/\.js$/, '') : plain}`, visibility };
}
