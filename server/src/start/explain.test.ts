import { CustodyError } from '@flex-custody/core';
import { explain } from './explain.ts';

const system = (code: string, more: object = {}) => Object.assign(new Error(code), { code, ...more });

test.each([
  [system('EADDRINUSE', { address: '127.0.0.1', port: 4100 }), 'port 4100 on 127.0.0.1 is in use', 'PORT'],
  [system('EADDRNOTAVAIL', { address: '10.9.9.9' }), 'no address 10.9.9.9', 'HOST'],
  [system('EACCES', { address: '0.0.0.0', port: 80 }), 'this user may not listen on port 80', 'above 1023'],
  [system('EACCES', { path: '/data' }), 'this user may not write /data', 'CUSTODY_DATA_DIR'],
  [system('EROFS', { path: '/data' }), '/data cannot be written', 'CUSTODY_DATA_DIR'],
  [system('ENOSPC'), 'the disk is full', 'free some space'],
  [system('53100'), 'the disk is full', 'free some space'],
  [new Error('could not extend file: No space left on device'), 'the disk is full', 'free some space'],
])('%s', (error, what, next) => {
  expect(explain(error)).toContain(what);
  expect(explain(error)).toContain(next);
});

test('the cause behind our own error is what is to be mended', () => {
  const error = new CustodyError('database_unopened', 'does not open', { cause: system('ENOSPC') });
  expect(explain(error)).toContain('the disk is full');
});

test('an error of ours says it itself, any other has no such line', () => {
  expect(explain(new CustodyError('data_dir_locked', 'in use by process 12: stop it'))).toBe(
    'in use by process 12: stop it',
  );
  expect(explain(new TypeError('x is undefined'))).toBeUndefined();
  expect(explain('a text')).toBeUndefined();
});
