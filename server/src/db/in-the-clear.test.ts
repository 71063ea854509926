import { inTheClear } from './in-the-clear.ts';

afterEach(() => {
  delete process.env['PGSSLMODE'];
});

test.each([
  ['postgres://u:hush@db.example/c', 'db.example'],
  ['postgres://u:hush@10.0.0.7:5433/c', '10.0.0.7'],
  ['postgres://u:hush@db.example/c?sslmode=disable', 'db.example'],
  ['postgres://u:hush@127.0.0.1/c?host=db.example', 'db.example'],
  ['postgres://u:hush@db.example/c?sslmode=verify-full', undefined],
  ['postgres://u:hush@db.example/c?sslmode=no-verify', undefined],
  ['postgres://u:hush@db.example/c?ssl=true', undefined],
  ['postgres://u:hush@localhost/c', undefined],
  ['postgres://u:hush@127.0.0.1/c', undefined],
  ['postgres://u:hush@[::1]/c', undefined],
  ['postgres://u:hush@%2Fvar%2Frun%2Fpostgresql/c', undefined],
])('%s goes in the clear to %s', async (url, host) => {
  expect(await inTheClear(url)).toBe(host);
});

test('what the driver reads of the environment counts', async () => {
  process.env['PGSSLMODE'] = 'verify-full';
  expect(await inTheClear('postgres://u@db.example/c')).toBeUndefined();
});
