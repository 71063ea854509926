import { belowFunctions, readAcceptParameters } from './parameters.ts';

test.each([
  [{}, undefined, undefined],
  [{ Record: 'false', ConferenceRecord: false }, undefined, undefined],
  [{ Record: 'true' }, { channels: 1 }, undefined],
  [
    { Record: 'true', RecordingChannels: 'dual', RecordingStatusCallback: 'https://x/y' },
    { channels: 2, callback: 'https://x/y' },
    undefined,
  ],
  [{ ConferenceRecord: 'record-from-start' }, undefined, {}],
  [{ ConferenceRecord: 'do-not-record' }, undefined, undefined],
])('%j records accordingly', (given, leg, conference) => {
  expect(readAcceptParameters(given)).toEqual({ leg, conference });
});

test.each([
  ['https://f.twil.io/cb?a=1#rc=5', '/cb?a=1#rc=5'],
  ['http://127.0.0.1:4200/cb', '/cb'],
  ['https://f.twil.io.evil.example/cb', undefined],
  ['https://webhooks.twilio.com/v1', undefined],
])('%s is %s below the Functions', (url, path) => {
  expect(belowFunctions(url, ['https://f.twil.io', 'http://127.0.0.1:4200/'])).toBe(path);
});
