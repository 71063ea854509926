import { CustodyError, errorCode, errorOf, isRetryable } from './errors.ts';

const shape = ({ code, status, retryable }: CustodyError) => ({ code, status, retryable });

test('status and retryable are those of the code in the table', () => {
  expect(shape(new CustodyError('object_mismatch', 'the bytes differ'))).toEqual({
    code: 'object_mismatch',
    status: 500,
    retryable: false,
  });
  expect(shape(new CustodyError('too_many_requests', 'later'))).toEqual({
    code: 'too_many_requests',
    status: 429,
    retryable: true,
  });
});

test('a code without a row is an error of types', () => {
  // @ts-expect-error: `errorOf` takes what comes from outside
  expect(() => new CustodyError('of_another_release', 'why')).toThrow(TypeError);
});

test('a caller that knows more than the table says whether a retry may help', () => {
  const error = new CustodyError('media_missing', 'not there yet', { retryable: true });
  expect(shape(error)).toEqual({ code: 'media_missing', status: 404, retryable: true });
  expect(isRetryable(error)).toBe(true);
});

test('the cause is kept for the log', () => {
  const cause = new Error('ECONNRESET');
  expect(new CustodyError('media_cut', 'cut', { cause }).cause).toBe(cause);
  expect(errorOf('media_cut', 'cut', { cause }).cause).toBe(cause);
  expect('cause' in new CustodyError('media_cut', 'cut', { cause: undefined })).toBe(false);
});

describe('a code from outside', () => {
  test('has what the table says, and the status of the answer where there was one', () => {
    expect(shape(errorOf('run_busy', 'busy'))).toEqual({ code: 'run_busy', status: 409, retryable: false });
    expect(shape(errorOf('store_busy', 'busy'))).toEqual({
      code: 'store_busy',
      status: 503,
      retryable: true,
    });
    expect(errorOf('host_refused', 'no', { status: 422 }).status).toBe(422);
  });

  test.each(['of_another_release', 'constructor'])('that the table lacks is kept: %s', (code) => {
    const error = errorOf(code, 'why');
    expect(shape(error)).toEqual({ code, status: 500, retryable: false });
    expect(error).toMatchObject({ name: 'CustodyError', message: 'why' });
    expect([error instanceof CustodyError, errorCode(error)]).toEqual([true, code]);
  });
});

test('what is not ours is retried, under one code', () => {
  expect(isRetryable(new TypeError('fetch failed'))).toBe(true);
  expect(errorCode(new TypeError('fetch failed'))).toBe('unexpected');
});
