import { note, type Seen } from './finding.ts';

/** The oldest release that Node's project maintains and that the AWS SDK will support. */
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
