import { CustodyError, errorCode, isRetryable } from './errors.ts';

test('an error is not retried and is our fault unless it says otherwise', () => {
  const error = new CustodyError('object_mismatch', 'the bytes differ');
  expect({ status: error.status, retryable: isRetryable(error), code: errorCode(error) }).toEqual({
    status: 500,
    retryable: false,
    code: 'object_mismatch',
  });
});

test('the cause is kept for the log', () => {
  const cause = new Error('ECONNRESET');
  expect(new CustodyError('media_cut', 'cut', { cause }).cause).toBe(cause);
});

test('what is not ours is retried, under one code', () => {
  expect(isRetryable(new TypeError('fetch failed'))).toBe(true);
  expect(errorCode(new TypeError('fetch failed'))).toBe('unexpected');
});
