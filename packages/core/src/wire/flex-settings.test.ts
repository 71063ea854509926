import { readFlexSettings } from './flex-settings.ts';

const urls = { functions_url: 'https://custody-1234-dev.twil.io', host_url: 'https://custody.example.com' };

test('what is not set has its safe default', () => {
  const { settings, problems } = readFlexSettings(urls);
  expect(problems).toEqual([]);
  expect(settings).toEqual({
    functionsUrl: urls.functions_url,
    hostUrl: urls.host_url,
    recording: { mode: 'ours', internal: false, rules: [], otherwise: 'record' },
    veridas: { enabled: false, consent: true, vendorUrl: undefined, config: {} },
    connector: false,
  });
});

test('what is set is read', () => {
  const rule = {
    queue: 'Sales',
    worker: 'ann',
    direction: 'outbound',
    attribute: { path: 'a.b', equals: 'c' },
    verdict: 'never',
  };
  const { settings, problems } = readFlexSettings({
    ...urls,
    recording: { mode: 'both', internal: true, default: 'on-demand', rules: [rule] },
    veridas: {
      enabled: true,
      consent: false,
      vendor_url: 'https://assets.example.com/v/',
      config: { register: {} },
    },
    connector: true,
  });
  expect(problems).toEqual([]);
  expect(settings.connector).toBe(true);
  expect(settings.recording).toEqual({ mode: 'both', internal: true, rules: [rule], otherwise: 'on-demand' });
  expect(settings.veridas).toEqual({
    enabled: true,
    consent: false,
    vendorUrl: 'https://assets.example.com/v',
    config: { register: {} },
  });
});

test.each([
  ['recording.mode', { recording: { mode: 'Ours' } }],
  ['recording.internal', { recording: { internal: 'yes' } }],
  ['recording.default', { recording: { default: true } }],
  ['recording.rules', { recording: { rules: {} } }],
  ['recording.rules.0', { recording: { rules: [{ queue: 'Sales' }] } }],
  ['recording.rules.0', { recording: { rules: [{ verdict: 'never', quueue: 'Sales' }] } }],
  ['recording.rules.0', { recording: { rules: [{ verdict: 'never', direction: 'in' }] } }],
  ['recording.rules.0', { recording: { rules: [{ verdict: 'never', attribute: { path: 'a' } }] } }],
  ['recording', { recording: 'ours' }],
  ['veridas.consent', { veridas: { consent: 'false' } }],
  ['veridas.vendor_url', { veridas: { vendor_url: 'http://assets.example.com/v' } }],
  ['host_url', { host_url: 'http://custody.example.com' }],
  ['connector', { connector: 'true' }],
])('%s that cannot be read is named, and the safe default holds', (path, wrong) => {
  const { settings, problems } = readFlexSettings({ ...urls, ...wrong });
  expect(problems.map((problem) => problem.path)).toEqual([path]);
  expect(settings.recording).toEqual({ mode: 'ours', internal: false, rules: [], otherwise: 'record' });
  expect(settings.veridas.consent).toBe(true);
  expect(settings.connector).toBe(false);
});

test('one wrong rule takes no other with it', () => {
  const { settings } = readFlexSettings({ ...urls, recording: { rules: [{}, { verdict: 'never' }] } });
  expect(settings.recording.rules).toEqual([{ verdict: 'never' }]);
});

test.each([
  ['nothing', undefined, ['functions_url']],
  ['a text', 'x', ['flex_custody', 'functions_url']],
  ['a list', [], ['flex_custody', 'functions_url']],
  ['a URL with a path', { functions_url: 'https://x.twil.io/path' }, ['functions_url']],
  ['a URL in the clear', { functions_url: 'http://x.twil.io' }, ['functions_url']],
  ['credentials in a URL', { functions_url: 'https://a:b@x.twil.io' }, ['functions_url']],
])('%s: without the Functions nothing can be recorded, and it is said', (_, value, paths) => {
  const { settings, problems } = readFlexSettings(value);
  expect(problems.map((problem) => problem.path)).toEqual(paths);
  expect(settings.functionsUrl).toBeUndefined();
});

test('loopback may be in the clear', () => {
  const { settings, problems } = readFlexSettings({
    functions_url: 'http://127.0.0.1:4200/',
    host_url: 'http://localhost:4100',
  });
  expect(problems).toEqual([]);
  expect(settings.functionsUrl).toBe('http://127.0.0.1:4200');
});
