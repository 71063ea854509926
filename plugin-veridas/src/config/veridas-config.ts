import { isObject, type SettingProblem } from '@flex-custody/core';
import { type Check, secondsText, shareText, socketUrl, text, webUrl } from './checks';

/** What the vendor's element is given as `config`: the guide's keys, all of them strings. */
export interface VeridasConfig {
  register: { audioTotalDuration: string; authenticityThreshold: string; modelHash: string };
  verify: { audioTotalDuration: string; authenticityThreshold: string; scoreThreshold: string };
  daspeakStreamingSignallingUrl: string;
  daspeakStreamingAudioUrl: string;
  urlStartStreaming: string;
  urlStopStreaming: string;
  /** The same URL twice: the guide names it in both ways. */
  urlGetTemporaryToken: string;
  authenticationServerUrl: string;
}

export interface ConfigSources {
  /** What the vendor's config.js exports. */
  vendor: unknown;
  /** `veridas.config` of the settings: wins, key by key. */
  settings: Readonly<Record<string, unknown>>;
  /** Where our Functions are: the three URLs that neither source gives. */
  functionsUrl: string | undefined;
}

export type ConfigReading =
  | { ok: true; config: VeridasConfig }
  /** With an incomplete configuration the element is not mounted, and each wrong key is named. */
  | { ok: false; problems: SettingProblem[] };

type Values = Readonly<Record<string, unknown>>;
const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

const tokenNames = ['urlGetTemporaryToken', 'authenticationServerUrl'] as const;
const known: Readonly<Record<string, readonly string[] | null>> = {
  register: ['audioTotalDuration', 'authenticityThreshold', 'modelHash'],
  verify: ['audioTotalDuration', 'authenticityThreshold', 'scoreThreshold'],
  daspeakStreamingSignallingUrl: null,
  daspeakStreamingAudioUrl: null,
  urlStartStreaming: null,
  urlStopStreaming: null,
  urlGetTemporaryToken: null,
  authenticationServerUrl: null,
};

/** One configuration out of the vendor's file, the settings and our Functions' addresses. Never throws. */
export function readVeridasConfig({ vendor, settings, functionsUrl }: ConfigSources): ConfigReading {
  const problems = misspelt(settings);
  if (isGiven(vendor) && !isObject(vendor)) problems.push({ path: 'config.js', must: 'export an object' });
  const file: Values = isObject(vendor) ? vendor : {};
  const layers = [settings, file];

  const checked = (path: string, found: unknown, check: Check): string => {
    const value = isGiven(found) ? check.read(found) : undefined;
    if (value === undefined)
      problems.push({ path, must: isGiven(found) ? check.must : `be set: ${check.must}` });
    return value ?? '';
  };
  const inGroup = (group: 'register' | 'verify') => (name: string, check: Check) =>
    checked(
      `${group}.${name}`,
      layers
        .map((layer) => layer[group])
        .map((members) => (isObject(members) ? members[name] : undefined))
        .find(isGiven),
      check,
    );
  const url = (name: string, check: Check, otherwise?: string) =>
    checked(name, layers.map((layer) => layer[name]).find(isGiven) ?? otherwise, check);
  const ours = (path: string) => (functionsUrl === undefined ? undefined : functionsUrl + path);

  const register = inGroup('register');
  const verify = inGroup('verify');
  const tokenUrl = checked(
    tokenNames[0],
    layers.map((layer) => tokenUrlOf(layer, problems)).find(isGiven) ?? ours('/getTemporaryToken'),
    webUrl,
  );
  const config: VeridasConfig = {
    // What a newer config.js holds beside the guide's keys is the vendor's affair: it passes through.
    ...file,
    register: {
      ...(isObject(file['register']) ? file['register'] : {}),
      audioTotalDuration: register('audioTotalDuration', secondsText),
      authenticityThreshold: register('authenticityThreshold', shareText),
      modelHash: register('modelHash', text),
    },
    verify: {
      ...(isObject(file['verify']) ? file['verify'] : {}),
      audioTotalDuration: verify('audioTotalDuration', secondsText),
      authenticityThreshold: verify('authenticityThreshold', shareText),
      scoreThreshold: verify('scoreThreshold', shareText),
    },
    daspeakStreamingSignallingUrl: url('daspeakStreamingSignallingUrl', socketUrl),
    daspeakStreamingAudioUrl: url('daspeakStreamingAudioUrl', socketUrl),
    urlStartStreaming: url('urlStartStreaming', webUrl, ours('/startStreamAudio')),
    urlStopStreaming: url('urlStopStreaming', webUrl, ours('/stopStreamAudio')),
    urlGetTemporaryToken: tokenUrl,
    authenticationServerUrl: tokenUrl,
  };
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config };
}

/** An unknown key may be a misspelt threshold, which would then not apply. */
function misspelt(settings: Values): SettingProblem[] {
  return Object.entries(settings).flatMap(([name, value]): SettingProblem[] => {
    const members = Object.hasOwn(known, name) ? known[name] : undefined;
    if (members === undefined) return [{ path: name, must: `be one of ${Object.keys(known).join(', ')}` }];
    if (members === null || !isGiven(value)) return [];
    if (!isObject(value)) return [{ path: name, must: 'be an object' }];
    return Object.keys(value)
      .filter((member) => !members.includes(member))
      .map((member) => ({ path: `${name}.${member}`, must: `be one of ${members.join(', ')}` }));
  });
}

function tokenUrlOf(layer: Values, problems: SettingProblem[]): unknown {
  const given = tokenNames.map((name) => layer[name]).filter(isGiven);
  if (given.some((value) => value !== given[0])) {
    problems.push({ path: tokenNames.join(', '), must: 'be the same URL, or one of them alone' });
  }
  return given[0];
}
