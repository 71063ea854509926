import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { boundCredentials, credentialsInTime } from './credentials-in-time.ts';
import { storeError } from './errors.ts';

const never = () => new Promise<never>(() => undefined);
const head = new HeadObjectCommand({ Bucket: 'custody', Key: 'recordings/a' });

test('a request ends where credentials never come, and says whose fault that is', async () => {
  const client = new S3Client({ region: 'us-east-1', endpoint: 'http://127.0.0.1:1', credentials: never });
  boundCredentials(client, 20);
  const error: unknown = await client.send(head).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: 'CredentialsProviderError', message: 'no credentials within 0.02 s' });
  expect(storeError(error, 'custody')).toMatchObject({ code: 'store_credentials', retryable: true });
  client.destroy();
});

test('what comes is handed over, and so is what the provider says', async () => {
  const given = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' };
  expect(await credentialsInTime({ config: { credentials: async () => given } })).toBe(given);
  const refused = { config: { credentials: () => Promise.reject(new Error('no role')) } };
  await expect(credentialsInTime(refused)).rejects.toThrow('no role');
});
