import { readFileSync } from 'node:fs';
import { faultOfStored, leftToStore, setHere, storedSettings, whyNotStored } from './stored-settings.ts';
import { variables } from './variables.ts';

test('what may be stored, and nothing else that the host reads', () => {
  const stored = Object.keys(variables.shape).filter((name) => whyNotStored(name) === undefined);
  expect(stored.sort()).toEqual([...storedSettings].sort());
});

test('docs/configuration.md and docs/secrets.md name each of them', () => {
  for (const page of ['docs/configuration.md', 'docs/secrets.md']) {
    const text = readFileSync(page, 'utf8');
    expect(storedSettings.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  }
});

test.each([
  ['DATABASE_URL', 'opens the store with it'],
  ['CUSTODY_DATA_DIR', 'opens the store with it'],
  ['CUSTODY_KEYS', 'opens the store with it'],
  ['CUSTODY_SECRETS_KEY', 'opens the store with it'],
  ['TWILIO_ACCOUNT_SID', 'opens the store with it'],
  ['CUSTODY_SIGNING_KEYS', 'lost catalog'],
  ['AWS_SECRET_ACCESS_KEY', 'libraries'],
  ['AWS_ENDPOINT_URL_KMS', 'libraries'],
  ['PGPASSWORD', 'libraries'],
  ['https_proxy', 'libraries'],
  ['PORT', 'no secret'],
  ['CUSTODY_MEDIA_SECERT', 'no setting of the host'],
])('%s is refused, with the reason', (name, says) => expect(whyNotStored(name)).toContain(says));

test('any other name may be stored', () => {
  for (const name of ['data-source/aws.secret', 'crm', 'Custody_x'])
    expect(whyNotStored(name)).toBeUndefined();
});

test('a value is judged as the setting would be, and is not repeated', () => {
  expect(faultOfStored('TWILIO_AUTH_TOKEN', 'hush')).toBe('must be 32 lower-case hexadecimal digits');
  expect(faultOfStored('TWILIO_AUTH_TOKEN', '0'.repeat(32))).toBeUndefined();
  expect(faultOfStored('anything', 'hush')).toBeUndefined();
});

test('left to the store is what the environment lacks and has a use for', () => {
  expect(
    leftToStore({ TWILIO_AUTH_TOKEN: ' ', CUSTODY_MEDIA_SECRET: 'm', CUSTODY_CALLER_SECRET: 'c' }),
  ).toEqual(['TWILIO_AUTH_TOKEN', 'CUSTODY_FUNCTION_SECRETS']);
  const both = { TWILIO_API_KEY: 'SK', CUSTODY_ALARM_WEBHOOK: 'https://x', CUSTODY_BREVO_FILE: 'b' };
  expect(leftToStore(both)).toEqual([...storedSettings]);
  expect(setHere({ CUSTODY_MEDIA_SECRET: 'm', CUSTODY_CALLER_SECRET: '' })).toEqual(['CUSTODY_MEDIA_SECRET']);
});
