import { roleNames } from './config/roles.ts';
import { type Duty, doesIt } from './room.ts';

const duties: readonly Duty[] = ['routes', 'upgrades', 'jobs', 'works', 'consumers'];
const of = (...own: Parameters<typeof doesIt>[0]) => duties.filter((duty) => doesIt(own, duty));

test('a process takes of its rooms what its roles name', () => {
  expect(of('http')).toEqual(['routes', 'upgrades']);
  expect(of('worker')).toEqual(['jobs', 'works']);
  expect(of('recorder')).toEqual(['consumers']);
  expect(of('worker', 'http', 'recorder')).toEqual(duties);
  expect(of()).toEqual([]);
});

test('together the roles do everything, as the embedded database needs it', () => {
  expect(of(...roleNames)).toEqual(duties);
});
