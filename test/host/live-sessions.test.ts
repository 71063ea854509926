import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecorderView } from '../../sandbox/src/page/contract.ts';
import { type Stack, startStack } from '../../sandbox/src/stack/index.ts';
import { until } from '../support/until.ts';

jest.setTimeout(120_000);

describe('the local stack with its recorder', () => {
  let dataDir: string;
  let stack: Stack;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'custody-sessions-'));
    stack = await startStack({ dataDir, serverEnv: { CUSTODY_LINK_AT_ACCEPTANCE: 'true' } });
    stack.sendAgentEvents();
  }, 120_000);
  afterAll(async () => {
    await stack?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const control = async <T>(path: string, body?: object): Promise<T> => {
    const headers = { 'content-type': 'application/json' };
    const init = body && { method: 'POST', headers, body: JSON.stringify(body) };
    const answer = await fetch(`${stack.urls.sandbox}/sandbox/${path}`, init);
    expect(answer.status).toBe(200);
    return (await answer.json()) as T;
  };
  const act = (task: string, action: string) => control(`live/calls/${task}`, { action });
  const recorder = async () => {
    const view = await control<RecorderView>('recorder');
    return 'unreachable' in view ? { sessions: [], alarms: [] } : view;
  };
  const sessionOf = async (task: string) =>
    (await recorder()).sessions.find(({ session }) => session === task);
  const longHolds = async () => (await recorder()).alarms.filter(({ code }) => code === 'long_hold');

  test('a call is an open session from its first ring until its end', async () => {
    const { task, worker } = await control<{ task: string; worker: string }>('live/calls', {});
    await until(async () => (await sessionOf(task)) !== undefined);
    expect(await sessionOf(task)).toMatchObject({ kind: 'voice', agent: worker, wait: null, holds: 0 });

    await act(task, 'accept');
    await until(async () => typeof (await sessionOf(task))?.wait === 'number');
    await act(task, 'hold');
    await until(async () => typeof (await sessionOf(task))?.onHoldAt === 'string');
    await act(task, 'unhold');
    await until(async () => (await sessionOf(task))?.onHoldAt === null);
    expect(await sessionOf(task)).toMatchObject({ queue: 'Everyone', agent: worker, holds: 1 });

    await act(task, 'customer-hangup');
    await until(async () => (await sessionOf(task)) === undefined);
    expect(await longHolds()).toEqual([]);
  });

  test('a call is linked by its reservation when an agent accepts it, and by its recording afterwards', async () => {
    const { task } = await control<{ task: string }>('live/calls', {});
    const linksOf = async () => {
      const { attributes } = await control<{ attributes: object }>(`tasks/${task}`);
      return [...JSON.stringify(attributes).matchAll(/url-provider\?(\w+)=(\w\w)/g)].map(
        ([, ...link]) => link,
      );
    };
    await act(task, 'accept');
    await until(async () => (await linksOf()).length > 0);
    expect(await linksOf()).toEqual([['reservation', 'WR']]);
    await act(task, 'customer-hangup');
    await act(task, 'complete');
    await until(async () => (await linksOf()).some(([name]) => name === 'recording'));
    expect(await linksOf()).toEqual([['recording', 'RE']]);
  });

  test('a hold of 31 minutes raises one alarm, and the end of the call resolves it', async () => {
    const story = { story: 'hold', holdSeconds: 1_860, open: true };
    const { task } = await control<{ task: { sid: string } }>('stories', story);
    await until(async () => (await longHolds()).length > 0);
    expect(await longHolds()).toMatchObject([
      {
        code: 'long_hold',
        detail: expect.stringContaining(`30 minutes or more, in the call of ${task.sid}`),
      },
    ]);
    expect(Date.now() - Date.parse((await sessionOf(task.sid))?.onHoldAt ?? '')).toBeGreaterThan(1_850_000);

    await act(task.sid, 'customer-hangup');
    await until(async () => (await longHolds()).length === 0);
    expect(await sessionOf(task.sid)).toBeUndefined();
  });

  test('a page of a host that is down is answered', async () => {
    await stack.stopServer();
    expect(await control('recorder')).toEqual({ unreachable: true });
  });
});
