import { authority } from './attacks/authority.ts';
import { colleaguesCall, rewrittenOutbound, signedPause } from './attacks/calls.ts';
import { inventedCompletions } from './attacks/completed-tasks.ts';
import { anothersDatabase, anothersSecret, forgedImport } from './attacks/database.ts';
import { inventedEvents } from './attacks/events.ts';
import { escapedHold, forgedSidecar, liftedHold } from './attacks/facts.ts';
import { adopted, forgedSound, forgedText, invented } from './attacks/forged-copy.ts';
import { openScene, type Scene } from './scene.ts';

// One stack for all of them: each takes a call of its own.
jest.setTimeout(240_000);

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene?.close());

describe('an attacker wants', () => {
  test.each(
    [
      forgedText,
      forgedSound,
      adopted,
      invented,
      liftedHold,
      forgedSidecar,
      escapedHold,
      colleaguesCall,
      rewrittenOutbound,
      signedPause,
      forgedImport,
      anothersDatabase,
      anothersSecret,
      inventedEvents,
      inventedCompletions,
      ...authority,
    ].map((attack) => [attack.wants, attack] as const),
  )('%s', (_wants, attack) => attack.run(scene));
});
