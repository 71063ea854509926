import { note, type Seen } from './finding.ts';

/** The oldest that its makers still maintain, and for which the AWS SDK will publish. */
const supported = 22;

export function seenOf(version: string): Seen {
  return Number(version.split('.')[0]) >= supported
    ? version
    : note(
        `${version}: out of support, and the AWS SDK ends its support in January 2027`,
        'install Node 22 or 24 from https://nodejs.org',
      );
}

export const node = async (): Promise<Seen> => seenOf(process.versions.node);
