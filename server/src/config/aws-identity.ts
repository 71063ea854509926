import { readFileSync } from 'node:fs';

/** Where EC2 says that it is EC2: a machine there can have a role of its own. */
const vendorFile = '/sys/class/dmi/id/sys_vendor';

/**
 * Signs of an identity that AWS itself gives this process, found without a request; undefined if there is none.
 * Source: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 */
export function awsIdentity(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  vendor: () => string = () => readFileSync(vendorFile, 'utf8'),
): string | undefined {
  const has = (name: string) => (environment[name] ?? '') !== '';
  if (has('AWS_WEB_IDENTITY_TOKEN_FILE')) return 'a web identity (AWS_WEB_IDENTITY_TOKEN_FILE)';
  if (has('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI') || has('AWS_CONTAINER_CREDENTIALS_FULL_URI'))
    return 'the credentials of a container (AWS_CONTAINER_CREDENTIALS_…)';
  if (environment['AWS_EC2_METADATA_DISABLED'] === 'true') return undefined;
  try {
    return vendor().startsWith('Amazon EC2') ? 'the metadata of an EC2 instance' : undefined;
  } catch {
    return undefined;
  }
}
