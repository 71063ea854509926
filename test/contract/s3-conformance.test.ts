import { describeWhere } from '../support/needs.ts';
import { access } from './s3/access.ts';
import { ownEngine, radosgwEngine } from './s3/engines.ts';
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

describe("the sandbox's own S3", () => conforms(new Subject(ownEngine, amazon)));
describeWhere('radosgw', 'radosgw', () => conforms(new Subject(radosgwEngine, radosgw)));
