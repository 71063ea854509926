import { isObject } from '../json-fields.ts';
import {
  callDirections,
  type RecordingRule,
  type RecordingVerdict,
  recordingVerdicts,
} from '../recording-rules.ts';
import { withoutSlashes } from '../without-slashes.ts';

/**
 * The plugins' settings: `ui_attributes.flex_custody` of the Flex configuration, changed without a rebuild. Written by
 * `flex-custody setup`, read by both plugins.
 */
export interface FlexSettings {
  /** Where the Functions are: an https origin. Undefined: nothing can be recorded or paused. */
  functionsUrl: string | undefined;
  /** The host's public URL, for reports. */
  hostUrl: string | undefined;
  recording: {
    /** `ours`: the agent's leg, Flex's own recording off; `theirs`: Flex's own, its callback ours; `both`, on purpose. */
    mode: 'ours' | 'theirs' | 'both';
    /** Record calls from agent to agent: the leg of the one who called. */
    internal: boolean;
    rules: readonly RecordingRule[];
    /** What holds where no rule fits. */
    otherwise: RecordingVerdict;
  };
  veridas: VeridasSettings;
  /** Report completed tasks to the host, for a connector to a CRM. */
  connector: boolean;
}

export interface VeridasSettings {
  enabled: boolean;
  /** Ask the agent for the caller's consent before enrolment. */
  consent: boolean;
  /** An https folder with the vendor's three files, for builds without them. */
  vendorUrl: string | undefined;
  /** Overrides the vendor's config.js, key by key: the guide's names and strings, read by the veridas plugin. */
  config: Readonly<Record<string, unknown>>;
}

/** A setting that could not be read: the safe default holds in its place. */
export interface SettingProblem {
  /** `recording.mode` */
  path: string;
  /** What it must be. */
  must: string;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/**
 * Reads `ui_attributes.flex_custody`. Never throws: what is wrong is named, and the safe default holds instead (record
 * everything on the agent's leg; no biometrics; no connector).
 */
export function readFlexSettings(value: unknown): { settings: FlexSettings; problems: SettingProblem[] } {
  const problems: SettingProblem[] = [];
  const object = (of: Record<string, unknown>, path: string): Record<string, unknown> => {
    const found = of[path.slice(path.lastIndexOf('.') + 1)];
    if (found === undefined) return {};
    if (isObject(found)) return found;
    problems.push({ path, must: 'be an object' });
    return {};
  };
  /** The value by `parse`, which answers undefined where it cannot be so. */
  const read = <T>(
    of: Record<string, unknown>,
    path: string,
    must: string,
    parse: (value: unknown) => T | undefined,
    otherwise: T,
  ): T => {
    const found = of[path.slice(path.lastIndexOf('.') + 1)];
    if (found === undefined || found === null) return otherwise;
    const parsed = parse(found);
    if (parsed === undefined) problems.push({ path, must });
    return parsed ?? otherwise;
  };
  const flag = (found: unknown) => (typeof found === 'boolean' ? found : undefined);
  const oneOf =
    <T extends string>(all: readonly T[]) =>
    (found: unknown) =>
      all.find((one) => one === found);

  if (value !== undefined && value !== null && !isObject(value)) {
    problems.push({ path: 'flex_custody', must: 'be an object' });
  }
  const root = isObject(value) ? value : {};
  const recording = object(root, 'recording');
  const veridas = object(root, 'veridas');
  const origin = 'be an https:// origin without a path (http:// on loopback alone)';
  const settings: FlexSettings = {
    functionsUrl: read<string | undefined>(root, 'functions_url', origin, httpsOrigin, undefined),
    hostUrl: read<string | undefined>(root, 'host_url', origin, httpsOrigin, undefined),
    recording: {
      mode: read(
        recording,
        'recording.mode',
        'be "ours", "theirs" or "both"',
        oneOf(['ours', 'theirs', 'both']),
        'ours',
      ),
      internal: read(recording, 'recording.internal', 'be true or false', flag, false),
      rules: readRules(recording['rules'], problems),
      otherwise: read(
        recording,
        'recording.default',
        'be "record", "never" or "on-demand"',
        oneOf(recordingVerdicts),
        'record',
      ),
    },
    veridas: {
      enabled: read(veridas, 'veridas.enabled', 'be true or false', flag, false),
      consent: read(veridas, 'veridas.consent', 'be true or false', flag, true),
      vendorUrl: read<string | undefined>(
        veridas,
        'veridas.vendor_url',
        'be the https:// URL of a folder',
        httpsFolder,
        undefined,
      ),
      config: object(veridas, 'veridas.config'),
    },
    connector: read(root, 'connector', 'be true or false', flag, false),
  };
  if (settings.functionsUrl === undefined && !problems.some(({ path }) => path === 'functions_url')) {
    problems.push({ path: 'functions_url', must: `be set: ${origin.slice(3)}` });
  }
  return { settings, problems };
}

/** A rule that cannot be read is left out and named: half a rule could keep from recording what must be. */
function readRules(value: unknown, problems: SettingProblem[]): RecordingRule[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    problems.push({ path: 'recording.rules', must: 'be a list' });
    return [];
  }
  return value.flatMap((found: unknown, index) => {
    const rule = readRule(found);
    if (rule) return [rule];
    problems.push({
      path: `recording.rules.${index}`,
      must: 'have a verdict ("record", "never" or "on-demand") and of queue, worker, direction and attribute {path, equals} what it needs',
    });
    return [];
  });
}

const ruleKeys = new Set(['queue', 'worker', 'direction', 'attribute', 'verdict']);

function readRule(found: unknown): RecordingRule | undefined {
  if (!isObject(found) || !Object.keys(found).every((key) => ruleKeys.has(key))) return undefined;
  const { queue, worker, direction, attribute } = found;
  const verdict = recordingVerdicts.find((one) => one === found['verdict']);
  const way = callDirections.find((one) => one === direction);
  if (!verdict || (direction !== undefined && !way)) return undefined;
  if ((queue !== undefined && !isText(queue)) || (worker !== undefined && !isText(worker))) return undefined;
  const where =
    isObject(attribute) && isText(attribute['path']) && typeof attribute['equals'] === 'string'
      ? { path: attribute['path'], equals: attribute['equals'] }
      : undefined;
  if (attribute !== undefined && !where) return undefined;
  return {
    ...(isText(queue) ? { queue } : {}),
    ...(isText(worker) ? { worker } : {}),
    ...(way ? { direction: way } : {}),
    ...(where ? { attribute: where } : {}),
    verdict,
  };
}

const webUrl = /^(https:\/\/[a-z0-9.-]+(:\d+)?|http:\/\/(127\.0\.0\.1|localhost)(:\d+)?)(\/[^\s?#]*)?$/i;

/** Tokens go there: in the clear only where they never leave the machine. */
function httpsOrigin(value: unknown): string | undefined {
  const parts = typeof value === 'string' ? webUrl.exec(value) : null;
  return parts && /^\/*$/.test(parts[5] ?? '') ? parts[1] : undefined;
}

function httpsFolder(value: unknown): string | undefined {
  return typeof value === 'string' && webUrl.test(value) ? withoutSlashes(value) : undefined;
}
