import { isNotModified, isPreconditionFailure, isRangeFresh } from './conditional.ts';

const etag = '"xyzzy"';

describe('If-Match (RFC 9110, 13.1.1)', () => {
  test.each([
    ['absent', undefined, etag, false],
    ['the tag itself', '"xyzzy"', etag, false],
    ['one of a list', '"r2d2", "xyzzy", "c3p0"', etag, false],
    ['a tag with a comma inside', '"a,b"', '"a,b"', false],
    ['any representation', '*', etag, false],
    ['any representation, of one without a tag', '*', undefined, false],
    ['another tag', '"r2d2"', etag, true],
    ['the weak form never matches strongly', 'W/"xyzzy"', etag, true],
    ['a weak tag of ours never matches strongly', 'W/"xyzzy"', 'W/"xyzzy"', true],
    ['there is no tag to match', '"xyzzy"', undefined, true],
    ['unquoted text is no tag', 'xyzzy', etag, true],
  ])('%s', (_name, header, own, failure) => {
    expect(isPreconditionFailure(header === undefined ? {} : { 'if-match': header }, own)).toBe(failure);
  });
});

describe('If-None-Match (RFC 9110, 13.1.2)', () => {
  test.each([
    ['absent', undefined, etag, false],
    ['the tag itself', '"xyzzy"', etag, true],
    ['the weak form matches weakly', 'W/"xyzzy"', etag, true],
    ['one of a list', '"r2d2",W/"xyzzy"', etag, true],
    ['any representation', '*', etag, true],
    ['another tag', '"r2d2"', etag, false],
    ['there is no tag to match', '"xyzzy"', undefined, false],
  ])('%s', (_name, header, own, notModified) => {
    expect(isNotModified(header === undefined ? {} : { 'if-none-match': header }, own)).toBe(notModified);
  });
});

describe('If-Range (RFC 9110, 13.1.5)', () => {
  test.each([
    ['absent', undefined, etag, true],
    ['the tag itself', '"xyzzy"', etag, true],
    ['another tag', '"r2d2"', etag, false],
    ['the weak form', 'W/"xyzzy"', etag, false],
    ['a date, where there is no modification date', 'Sat, 29 Oct 1994 19:43:31 GMT', etag, false],
    ['there is no tag to match', '"xyzzy"', undefined, false],
  ])('%s', (_name, header, own, fresh) => {
    expect(isRangeFresh(header === undefined ? {} : { 'if-range': header }, own)).toBe(fresh);
  });
});
