import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { type Stack, startStack } from '../../sandbox/src/stack/index.ts';
import { openBrowser, type TestBrowser } from '../support/browser.ts';
import { describeWhere } from '../support/needs.ts';
import { serveInsights } from './insights/serve.ts';
import { type Seen, watchRequests } from './requests.ts';

/** Long enough that a browser does not hold the end of it when it plays the beginning. */
const seconds = 400;
/** A tenth of it is what a busy machine may take to renew. */
const ttlSeconds = 15;

interface Insights {
  errors: string[];
  links: { at: number; seconds: number; url: string }[];
  drawn: { status: number; bytes: number; sha256: string }[];
  ready: boolean;
  hotLoads: number;
  player: {
    play(): Promise<void>;
    isPlaying(): boolean;
    getCurrentTime(): number;
    seekToSecond(seconds: number): void;
  };
  open(urlProvider: string, token: string): Promise<void>;
}
declare const window: { insights: Insights };

describeWhere('chromium', 'the Player of Flex Insights', () => {
  let dataDir: string;
  let flex: Awaited<ReturnType<typeof serveInsights>>;
  let stack: Stack;
  let browser: TestBrowser;
  let call: { recordings: string[]; reservations: { worker: string }[] };
  let recording: string;
  let urlProvider: string;

  const control = async <T>(path: string, body?: unknown): Promise<T> => {
    const init = body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    };
    const response = await fetch(`${stack.urls.sandbox}/sandbox/${path}`, init || {});
    expect(response.status).toBe(200);
    return (await response.json()) as T;
  };
  const token = async (roles: string[], worker?: string) =>
    (await control<{ token: string }>('tokens', { roles, ...(worker && { worker_sid: worker }) })).token;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'custody-player-'));
    flex = await serveInsights();
    stack = await startStack({
      dataDir,
      serverEnv: {
        CUSTODY_FLEX_ORIGINS: flex.origin,
        CUSTODY_MEDIA_TTL_SECONDS: String(ttlSeconds),
      },
    });
    browser = await openBrowser();
    call = await control('calls', { seconds });
    recording = call.recordings[0]!;
    await stack.events.until(
      (event) => event.event === 'recording.verified' && event.recording === recording,
      'verified',
      60_000,
    );
    urlProvider = await providerInTask(recording);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await stack?.close();
    await flex?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Where Flex Insights would learn the address: from the task's own attributes. */
  async function providerInTask(sid: string): Promise<string> {
    const { task } = (await control<{ calls: { task: string }[] }>('calls')).calls[0]!;
    const text = JSON.stringify(await control(`tasks/${task}`));
    const found = /"url_provider":"([^"]+)"/.exec(text)?.[1];
    expect(found).toContain(sid);
    return found!;
  }

  async function opened(flexToken: string): Promise<{ page: Page; complaints: string[]; seen: Seen[] }> {
    const { page, complaints } = await browser.page();
    await page.goto(flex.origin);
    const seen = await watchRequests(page);
    await page.evaluate(([url, jwe]) => window.insights.open(url!, jwe!), [urlProvider, flexToken]);
    return { page, complaints, seen };
  }
  const time = (page: Page) => page.evaluate(() => window.insights.player.getCurrentTime());
  const provider = ({ url }: Seen) => url.href === urlProvider;
  const media = ({ url }: Seen) => url.pathname === `/media/${recording}.wav`;

  test('opens, draws, plays and seeks a recording, and renews its link while it plays', async () => {
    const { page, complaints, seen } = await opened(await token(['supervisor']));
    await page.waitForFunction(() => window.insights.ready && window.insights.drawn.length > 0);

    const preflight = seen.filter(provider).find(({ method }) => method === 'OPTIONS');
    const asked = seen.filter(provider).find(({ method }) => method === 'GET');
    expect(preflight?.status).toBe(204);
    expect(preflight?.authorization).toBeUndefined();
    expect(asked?.status).toBe(200);
    expect(asked?.authorization).toMatch(/^Basic /);
    const [link] = await page.evaluate(() => window.insights.links);
    expect(link?.seconds).toBe(ttlSeconds);

    const ranged = seen.find((request) => media(request) && request.range !== undefined);
    expect(ranged).toMatchObject({ range: 'bytes=0-', status: 206 });
    expect(ranged?.authorization).toBeUndefined();
    const whole = seen.find((request) => media(request) && request.range === undefined);
    expect(whole?.status).toBe(200);

    const held = await control<{ media: Record<string, { bytes: number; sha256: string }> }>(
      `recordings/${recording}`,
    );
    const [drawn] = await page.evaluate(() => window.insights.drawn);
    expect(drawn).toEqual({ status: 200, ...held.media['2'] });

    await page.evaluate(() => window.insights.player.play());
    await page.waitForFunction(() => window.insights.player.getCurrentTime() > 0.5);

    await page.evaluate((to) => window.insights.player.seekToSecond(to), seconds * 0.75);
    await page.waitForFunction((to) => window.insights.player.getCurrentTime() > to + 0.3, seconds * 0.75);
    const startOf = ({ range }: Seen) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]);
    const sought = seen.find((request) => media(request) && startOf(request) > held.media['2']!.bytes / 2);
    expect(sought?.status).toBe(206);
    expect(sought?.contentRange).toBe(
      `bytes ${startOf(sought!)}-${held.media['2']!.bytes - 1}/${held.media['2']!.bytes}`,
    );

    await page.waitForFunction(() => window.insights.hotLoads > 0, undefined, { timeout: 25_000 });
    const [first, second] = await page.evaluate(() => window.insights.links);
    expect((second!.at - first!.at) / 1000).toBeGreaterThanOrEqual(ttlSeconds * 0.9);
    expect((second!.at - first!.at) / 1000).toBeLessThan(ttlSeconds);
    expect(second!.url).not.toBe(first!.url);
    expect(await time(page)).toBeGreaterThan(seconds * 0.75);

    // Beyond the first link's life: only the second one can be playing now.
    await page.waitForFunction((until) => performance.now() > until, first!.at + (ttlSeconds + 1) * 1000);
    expect((await fetch(first!.url)).status).toBe(403);
    await page.evaluate((to) => window.insights.player.seekToSecond(to), seconds * 0.25);
    await page.waitForFunction((to) => {
      const now = window.insights.player.getCurrentTime();
      return now > to + 0.3 && now < to + 30;
    }, seconds * 0.25);
    expect(await page.evaluate(() => window.insights.player.isPlaying())).toBe(true);
    expect(await page.evaluate(() => window.insights.errors)).toEqual([]);
    expect(complaints).toEqual([]);
  }, 90_000);

  test('plays nothing to an agent, and says no more than that it may not', async () => {
    const another = (await control<{ workers: { worker: string }[] }>('workers')).workers.find(
      ({ worker }) => worker !== call.reservations[0]?.worker,
    );
    const { page, seen } = await opened(await token(['agent'], another?.worker));
    const errors = await page.evaluate(() => window.insights.errors);
    expect(errors).toEqual(['CONVERSATION_SERVICE_PRESIGNED_URL_FETCH_FAILED 403']);
    expect(seen.filter(media)).toEqual([]);
  });
});
