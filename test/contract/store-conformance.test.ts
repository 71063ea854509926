import { describeWhere } from '../support/needs.ts';
import { ownEngine, radosgwEngine } from './s3/engines.ts';
import type { Engine } from './s3/subject.ts';
import { locks } from './store/locks.ts';
import { newObjects } from './store/new-objects.ts';
import { reads } from './store/reads.ts';
import { renews } from './store/renews.ts';
import { resumes } from './store/resumes.ts';
import { StoreSubject } from './store/store-subject.ts';
import { uploads } from './store/uploads.ts';
import { writes } from './store/writes.ts';

/** Our own store, on every engine it is to work on: what it promises holds with and without versions. */
function conforms(begin: () => Promise<Engine>): void {
  describe.each([
    ['with versions', true],
    ['without versions', false],
  ])('%s', (_name, versioned) => {
    const subject = new StoreSubject(begin, versioned);
    beforeAll(() => subject.start(), 60_000);
    afterAll(() => subject.stop(), 60_000);
    writes(subject);
    newObjects(subject);
    reads(subject);
    uploads(subject);
    resumes(subject);
    renews(subject);
    // Locks are on versions.
    if (versioned) locks(subject);
  });
}

describe("the sandbox's own S3", () => conforms(ownEngine));
describeWhere('radosgw', 'radosgw', () => conforms(radosgwEngine));
