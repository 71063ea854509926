import type { Health } from '../../http/operators/health.ts';
import { copies, database } from './database.ts';
import type { Scene } from './scene.ts';

const sceneOf = (health: Partial<Health>): Scene => ({ health: async () => health }) as Scene;

test('doctor says how many copies are verified, and how many of them proven', async () => {
  const work = { copies: { verified: 7, proven: 3 } } as Health['work'] & object;
  expect(await copies(sceneOf({ work }))).toBe("7 verified, of them 3 proven equal to Twilio's media");
  const { copies: _, ...earlier } = work;
  expect(await copies(sceneOf({ work: earlier }))).toMatchObject({ detail: 'not known' });
  expect(await copies(sceneOf({}))).toMatch(/nothing yet/);
});

test('a database behind an open network is to be corrected first', async () => {
  const health = async () => ({ kind: 'postgres', version: 0 }) as Health;
  const at = (url: string) => database({ config: { database: { url } }, health } as Scene);
  await expect(at('postgres://u:hush@db.example/c')).rejects.toMatchObject({
    detail: 'rows and password go to db.example in the clear',
    next: expect.stringContaining('sslmode=verify-full'),
  });
  expect(await at('postgres://u:hush@db.example/c?sslmode=verify-full')).toMatchObject({
    detail: 'PostgreSQL, empty',
  });
});
