import { readPauseSettings } from './pause-settings.ts';

test('settings are read whole; what they do not say has a default', () => {
  const settings = { enabled: false, behavior: 'skip', resumeAfterSeconds: 60 };
  expect(readPauseSettings({ ...settings, more: 1 })).toEqual(settings);
  const silent = { enabled: true, behavior: 'silence', resumeAfterSeconds: 0 };
  expect(readPauseSettings({ enabled: true })).toEqual(silent);
  expect(readPauseSettings({ enabled: true, behavior: 'loud', resumeAfterSeconds: -1 })).toEqual(silent);
});

test.each([undefined, null, [], {}, { enabled: 'true' }])('%j are no settings', (answer) => {
  expect(readPauseSettings(answer)).toBeUndefined();
});
