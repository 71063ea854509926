import Fastify from 'fastify';
import type { Host } from './compose.ts';
import { close } from './serve.ts';

/** A host without work, but for what the test gives it. */
function host(parts: Partial<Host> = {}): Host {
  return {
    app: undefined,
    ops: Fastify(),
    queue: { stop: async () => undefined } as Host['queue'],
    startWorkers: undefined,
    startConsumers: undefined,
    goingDown: () => undefined,
    release: async () => undefined,
    ...parts,
  };
}

const forever = () => new Promise<never>(() => undefined);

test.each([
  ['a job that heeds nothing', { queue: { stop: forever } as unknown as Host['queue'] }],
  ['a database that does not close', { release: forever }],
])('%s holds up the end of the process no longer than the hard limit', async (_, deps) => {
  await expect(close(host(deps), 50)).rejects.toMatchObject({ code: 'closing_late' });
});

test("an answer of the operators' port that never comes is cut", async () => {
  const ops = Fastify();
  let asked = () => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  ops.get('/', () => {
    asked();
    return forever();
  });
  const url = await ops.listen({ host: '127.0.0.1', port: 0 });
  const answer = fetch(url).catch((error: Error) => error.message);
  await isAsked;
  await close(host({ ops }), 60_000);
  expect(await answer).toBe('fetch failed');
});
