import { readVeridasConfig } from './veridas-config';

const vendor = {
  register: { audioTotalDuration: '5', authenticityThreshold: '0.8', modelHash: 'abc123' },
  verify: { audioTotalDuration: '3', authenticityThreshold: '0.8', scoreThreshold: '0.7' },
  daspeakStreamingSignallingUrl: 'https://signalling.example.com',
  daspeakStreamingAudioUrl: 'wss://audio.example.com/twilio',
};
const functionsUrl = 'https://custody.twil.io';
const read = (settings: Record<string, unknown> = {}, file: unknown = vendor) =>
  readVeridasConfig({ vendor: file, settings, functionsUrl });
const config = (settings?: Record<string, unknown>, file?: unknown) => {
  const reading = read(settings, file);
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  return reading.config;
};
const problems = (settings?: Record<string, unknown>, file?: unknown) => {
  const reading = read(settings, file);
  return reading.ok ? [] : reading.problems;
};

describe('the configuration of the vendor element', () => {
  it('is the vendor file, with our Functions where it names none', () => {
    expect(config()).toEqual({
      ...vendor,
      urlStartStreaming: `${functionsUrl}/startStreamAudio`,
      urlStopStreaming: `${functionsUrl}/stopStreamAudio`,
      urlGetTemporaryToken: `${functionsUrl}/getTemporaryToken`,
      authenticationServerUrl: `${functionsUrl}/getTemporaryToken`,
    });
  });

  it('lets the settings win key by key, within register and verify too', () => {
    const merged = config({
      register: { audioTotalDuration: '7.5' },
      verify: { scoreThreshold: 0.9 },
      urlStopStreaming: 'https://other.example.com/stop',
    });
    expect(merged.register).toEqual({ ...vendor.register, audioTotalDuration: '7.5' });
    expect(merged.verify).toEqual({ ...vendor.verify, scoreThreshold: '0.9' });
    expect(merged.urlStopStreaming).toBe('https://other.example.com/stop');
    expect(merged.daspeakStreamingAudioUrl).toBe(vendor.daspeakStreamingAudioUrl);
  });

  it('comes from the settings alone where the vendor file says nothing', () => {
    for (const nothing of [undefined, {}]) {
      expect(config({ ...vendor }, nothing ?? {}).verify).toEqual(vendor.verify);
    }
  });

  it('hands on what a newer vendor file holds besides', () => {
    expect(config({}, { ...vendor, language: 'es', verify: { ...vendor.verify, mode: 'x' } })).toMatchObject({
      language: 'es',
      verify: { mode: 'x' },
    });
  });

  it.each(['urlGetTemporaryToken', 'authenticationServerUrl'])(
    'takes the token URL as %s and gives both',
    (name) => {
      const url = 'https://tokens.example.com/t';
      expect(config({}, { ...vendor, [name]: url })).toMatchObject({
        urlGetTemporaryToken: url,
        authenticationServerUrl: url,
      });
    },
  );

  it('lets one name in the settings override the other in the vendor file', () => {
    const file = { ...vendor, authenticationServerUrl: 'https://vendor.example.com/t' };
    expect(config({ urlGetTemporaryToken: 'https://ours.example.com/t' }, file).authenticationServerUrl).toBe(
      'https://ours.example.com/t',
    );
  });

  it('refuses two different token URLs in one source', () => {
    expect(
      problems({
        urlGetTemporaryToken: 'https://a.example.com',
        authenticationServerUrl: 'https://b.example.com',
      }),
    ).toEqual([
      {
        path: 'urlGetTemporaryToken, authenticationServerUrl',
        must: 'be the same URL, or one of them alone',
      },
    ]);
  });

  it.each([
    [
      'register.audioTotalDuration',
      { register: { audioTotalDuration: '30.1' } },
      'be seconds from 0.0 to 30.0',
    ],
    ['verify.audioTotalDuration', { verify: { audioTotalDuration: -1 } }, 'be seconds from 0.0 to 30.0'],
    ['verify.scoreThreshold', { verify: { scoreThreshold: '1.01' } }, 'be a number from 0.0 to 1.0'],
    [
      'verify.authenticityThreshold',
      { verify: { authenticityThreshold: '0,8' } },
      'be a number from 0.0 to 1.0',
    ],
    [
      'register.authenticityThreshold',
      { register: { authenticityThreshold: '1e-1' } },
      'be a number from 0.0 to 1.0',
    ],
    ['register.modelHash', { register: { modelHash: 5 } }, 'be a text'],
    [
      'urlStartStreaming',
      { urlStartStreaming: 'http://example.com/start' },
      'be a URL that begins with https://',
    ],
    ['urlStopStreaming', { urlStopStreaming: 'wss://example.com' }, 'be a URL that begins with https://'],
    [
      'urlGetTemporaryToken',
      { authenticationServerUrl: 'https://a:b@example.com' },
      'be a URL that begins with https://',
    ],
    [
      'daspeakStreamingAudioUrl',
      { daspeakStreamingAudioUrl: 'ws://example.com' },
      'be a URL that begins with https:// or wss://',
    ],
    [
      'daspeakStreamingSignallingUrl',
      { daspeakStreamingSignallingUrl: '{{ URL }}' },
      'be a URL that begins with https:// or wss://',
    ],
  ])('names %s when it is wrong', (path, settings, must) => {
    expect(problems(settings)).toEqual([{ path, must }]);
  });

  it('takes the bounds themselves, and the clear on loopback', () => {
    expect(
      config({
        register: { audioTotalDuration: 30, authenticityThreshold: 0 },
        verify: { scoreThreshold: '1.0' },
        daspeakStreamingAudioUrl: 'ws://127.0.0.1:4000/audio',
        urlStartStreaming: 'http://localhost:4200/startStreamAudio',
      }),
    ).toMatchObject({ register: { audioTotalDuration: '30', authenticityThreshold: '0' } });
  });

  it('names each key that nobody gives', () => {
    const reading = readVeridasConfig({ vendor: undefined, settings: {}, functionsUrl: undefined });
    expect(reading.ok ? [] : reading.problems.map(({ path }) => path).sort()).toEqual([
      'daspeakStreamingAudioUrl',
      'daspeakStreamingSignallingUrl',
      'register.audioTotalDuration',
      'register.authenticityThreshold',
      'register.modelHash',
      'urlGetTemporaryToken',
      'urlStartStreaming',
      'urlStopStreaming',
      'verify.audioTotalDuration',
      'verify.authenticityThreshold',
      'verify.scoreThreshold',
    ]);
  });

  it('names a misspelt key of the settings, for its threshold would not hold', () => {
    expect(
      problems({ verify: { scoreTreshold: '0.9' }, urlStart: 'x', register: '5' }).map(({ path }) => path),
    ).toEqual(['verify.scoreTreshold', 'urlStart', 'register']);
  });

  it('names a vendor file that exports no object', () => {
    expect(problems({ ...vendor }, 'config')).toEqual([{ path: 'config.js', must: 'export an object' }]);
  });
});
