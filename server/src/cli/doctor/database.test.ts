import type { Health } from '../../http/operators/health.ts';
import { copies } from './database.ts';
import type { Scene } from './scene.ts';

const sceneOf = (health: Partial<Health>): Scene => ({ health: async () => health }) as Scene;

test('doctor says how many copies are verified, and how many of them proven', async () => {
  const work = { copies: { verified: 7, proven: 3 } } as Health['work'] & object;
  expect(await copies(sceneOf({ work }))).toBe("7 verified, of them 3 proven equal to Twilio's media");
  const { copies: _, ...earlier } = work;
  expect(await copies(sceneOf({ work: earlier }))).toMatchObject({ detail: 'not known' });
  expect(await copies(sceneOf({}))).toMatch(/nothing yet/);
});
