import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { chromiumPath } from './needs.ts';
import { patienceMs } from './until.ts';

export interface TestBrowser {
  /** A page of its own; what its console says at level error, and what it throws, is added to `complaints`. */
  page(options?: { width?: number; height?: number }): Promise<{ page: Page; complaints: string[] }>;
  close(): Promise<void>;
}

/** Quiet, and alone: no profile of anybody's, no call home, no sound. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--mute-audio',
  // A person would have clicked; a test has not.
  '--autoplay-policy=no-user-gesture-required',
];

/** Starts Chromium without a head, on an empty profile that goes with it. */
export async function openBrowser(options: { dark?: boolean } = {}): Promise<TestBrowser> {
  const context: BrowserContext = await chromium.launchPersistentContext('', {
    executablePath: chromiumPath(),
    headless: true,
    args: flags,
    colorScheme: options.dark ? 'dark' : 'light',
    viewport: { width: 1280, height: 900 },
    timeout: patienceMs,
  });
  context.setDefaultTimeout(patienceMs);
  return {
    async page({ width = 1280, height = 900 } = {}) {
      const page = await context.newPage();
      await page.setViewportSize({ width, height });
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(`${message.text()} (${message.location().url})`);
      });
      return { page, complaints };
    },
    close: () => context.close(),
  };
}
