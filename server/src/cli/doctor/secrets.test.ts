import type { Config } from '../../config.ts';
import type { SealedSecret } from '../../secrets/sealed-secrets.ts';
import { createSecretKeys } from '../../secrets/secret-keys.ts';
import type { Scene } from './scene.ts';
import { secrets } from './secrets.ts';

const accountSid = `AC${'0'.repeat(32)}` as Config['accountSid'];
const config = (fill: number) => ({ accountSid, secretsKeys: [new Uint8Array(32).fill(fill)] });
const stored = async (...names: string[]): Promise<SealedSecret[]> =>
  Promise.all(
    names.map(async (name) => ({
      ...(await createSecretKeys(config(1)).seal(name, 'hush')),
      ...{ version: 1, setAt: new Date(), by: 'cli' },
    })),
  );
const scene = (found: readonly SealedSecret[] | 'locked' | undefined, fill = 1) =>
  ({ config: config(fill), secrets: async () => found }) as unknown as Scene;

test('says of each setting where it comes from', async () => {
  const all = scene(await stored('CUSTODY_MEDIA_SECRET', 'crm', 'TWILIO_AUTH_TOKEN'));
  expect(await secrets(all, ['CUSTODY_FUNCTION_SECRETS'])).toBe(
    'from the environment: CUSTODY_FUNCTION_SECRETS; from the store: TWILIO_AUTH_TOKEN, CUSTODY_MEDIA_SECRET; 1 other secrets are stored',
  );
  expect(await secrets(scene([]), [])).toBe('from the environment: none; from the store: none');
});

test('what is in both is a note: the environment wins', async () => {
  expect(await secrets(scene(await stored('TWILIO_AUTH_TOKEN')), ['TWILIO_AUTH_TOKEN'])).toEqual({
    detail: 'from the environment: TWILIO_AUTH_TOKEN; from the store: none; in both: TWILIO_AUTH_TOKEN',
    next: expect.stringContaining('the environment wins'),
  });
});

test('names each that does not open, and never its value', async () => {
  const looking = secrets(scene(await stored('crm', 'other'), 2), []);
  await expect(looking).rejects.toMatchObject({
    detail: expect.stringMatching(/^the secret crm is sealed by the key .*; the secret other is sealed by /),
    next: expect.stringContaining('flex-custody secrets set NAME'),
  });
  expect(String(await looking.catch(String))).not.toContain('hush');
});

test.each(['locked', undefined] as const)('is not known where the database is %s', async (found) => {
  expect(await secrets(scene(found), [])).toMatchObject({ detail: 'not known' });
});
