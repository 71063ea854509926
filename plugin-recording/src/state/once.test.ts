import { keyValues } from '../testing';
import { once } from './once';

test('a thing is said once in a browser, for each account', () => {
  const storage = keyValues();
  expect(once(storage, 'AC1').first('double')).toBe(true);
  expect(once(storage, 'AC1').first('double')).toBe(false);
  expect(once(storage, 'AC1').first('other')).toBe(true);
  expect(once(storage, 'AC2').first('double')).toBe(true);
});

test('without a storage, once until the page is left', () => {
  const told = once(undefined, 'AC1');
  expect([told.first('double'), told.first('double')]).toEqual([true, false]);
});
