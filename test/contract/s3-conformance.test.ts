import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFaults } from '../../sandbox/src/faults.ts';
import { startS3 } from '../../sandbox/src/s3/index.ts';
import { describeWhere, testS3 } from '../support/needs.ts';
import { access } from './s3/access.ts';
import { multipart } from './s3/multipart.ts';
import { objects } from './s3/objects.ts';
import { Subject } from './s3/subject.ts';
import { versions } from './s3/versions.ts';
import { amazon, radosgw } from './s3/ways.ts';

/** One suite of the SDK's own calls, for every engine that production code is to work on. */
function conforms(subject: Subject): void {
  beforeAll(() => subject.start(), 60_000);
  afterAll(() => subject.stop());
  objects(subject);
  versions(subject);
  multipart(subject);
  access(subject);
}

describe("the sandbox's own S3", () => {
  const start = async () => {
    const directory = await mkdtemp(join(tmpdir(), 's3-conformance-'));
    const own = await startS3({ directory, region: 'us-east-1', buckets: [], faults: createFaults() });
    const close = async () => {
      await own.close();
      await rm(directory, { recursive: true });
    };
    return { ...own, close };
  };
  conforms(new Subject(start, amazon));
});

describeWhere('radosgw', 'radosgw', () => {
  conforms(new Subject(async () => ({ ...testS3(), close: async () => undefined }), radosgw));
});
