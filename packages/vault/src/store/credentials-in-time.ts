import type { S3Client } from '@aws-sdk/client-s3';
import { inTime } from '@flex-custody/net';

/** So long may credentials take to come: from a metadata service, a role, or a program that the AWS configuration names. */
export const CREDENTIALS_MS = 20_000;

type Credentials = Awaited<ReturnType<S3Client['config']['credentials']>>;

/** @throws an error with the SDK's own name for credentials that cannot be had, after `ms` */
export async function credentialsInTime(
  { config }: { config: { credentials(): Promise<Credentials> } },
  ms = CREDENTIALS_MS,
): Promise<Credentials> {
  return inTime(config.credentials(), ms, () =>
    Object.assign(new Error(`no credentials within ${ms / 1_000} s`), { name: 'CredentialsProviderError' }),
  );
}

/**
 * Has a client's requests end where no credentials come: the SDK waits for a program or a metadata service without a limit
 * of its own, and before any of a request's limits begins.
 */
export function boundCredentials(client: Pick<S3Client, 'config' | 'middlewareStack'>, ms?: number): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      await credentialsInTime(client, ms);
      return next(args);
    },
    { step: 'initialize', name: 'boundCredentials' },
  );
}
