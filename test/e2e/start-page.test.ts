import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { type Stack, startStack } from '../../sandbox/src/stack/index.ts';
import { openBrowser, type TestBrowser } from '../support/browser.ts';
import { describeWhere } from '../support/needs.ts';

const pictures = join(process.cwd(), 'test', 'output');

describeWhere('chromium', 'the start page', () => {
  let dataDir: string;
  let stack: Stack;
  let browser: TestBrowser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    await mkdir(pictures, { recursive: true });
    dataDir = await mkdtemp(join(tmpdir(), 'custody-page-'));
    stack = await startStack({ dataDir });
    stack.sendAgentEvents();
    browser = await openBrowser();
    ({ page, complaints } = await browser.page());
    await page.goto(stack.urls.sandbox);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await stack?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const picture = (name: string) => page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  const listenAs = async (who: string) => {
    await page.getByLabel(who, { exact: true }).check();
    await page.getByRole('button', { name: 'Play', exact: true }).click();
  };
  const answer = () => page.locator('#answer');
  const requests = () => page.getByRole('table', { name: 'Requests to the host' });
  const position = () =>
    page.locator('audio').evaluate((audio: { currentTime: number }) => audio.currentTime);
  const step = (name: string) => page.locator('#steps li').filter({ hasText: name });

  test('says so when there is nothing yet', async () => {
    await page.getByText('No call yet. Make one above.').waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    expect(await page.locator('#listen').isVisible()).toBe(false);
    await picture('start-page-empty');
  });

  test('follows a call until its recording is verified, and shows what each side holds', async () => {
    await page.getByLabel('Length, seconds').fill('40');
    await page.getByRole('button', { name: 'Make the call' }).click();
    await page.locator('#steps li.done').filter({ hasText: 'verified' }).waitFor();
    expect(await page.locator('#steps li.done').count()).toBe(8);
    expect(await step('linked').textContent()).toContain('done');

    await page.locator('#task-holds mark').filter({ hasText: 'url_provider' }).waitFor();
    await page.locator('#bucket-holds').getByText('The first bytes as stored').waitFor();
    await page.locator('#twilio-holds').getByText('attempt 1').waitFor();
    expect(await page.locator('#twilio-holds').textContent()).toContain('two channels1.3 MB');
  });

  test('plays it to a supervisor, whole and from where they click', async () => {
    await listenAs('supervisor');
    await answer().getByText('Allowed').waitFor();
    await page.getByText('identical to Twilio’s original').waitFor();
    const waveform = page.getByRole('slider', { name: 'Position in the recording' });
    const box = (await waveform.boundingBox())!;
    await waveform.click({ position: { x: box.width / 2, y: 20 } });
    await requests().getByText('same bytes').waitFor();
    expect(await requests().textContent()).toContain('206');
    expect(await position()).toBeCloseTo(20, 0);
    await waveform.press('ArrowRight');
    expect(await position()).toBeCloseTo(25, 0);
    await page.locator('audio').evaluate((audio: { play(): Promise<void> }) => audio.play());
    while ((await position()) < 25.5) await page.waitForTimeout(50);
    await picture('start-page-playing');
    expect(complaints).toEqual([]);
  });

  test.each([
    ['without a token', 401],
    ['another agent', 403],
    ['quality process manager', 403],
  ])('refuses %s', async (who, status) => {
    complaints.length = 0;
    await listenAs(who);
    await answer().getByText(`Refused with ${status}`).waitFor();
    expect(await page.locator('audio').count()).toBe(0);
    expect(await requests().textContent()).not.toContain('media');
    // The browser itself writes a refusal to its console; the page adds nothing to that.
    expect(complaints.filter((line) => !line.includes(`status of ${status}`))).toEqual([]);
    await picture(`start-page-refused-${status}`);
  });

  test('plays to the call’s own agent, to an admin and to a team leader', async () => {
    complaints.length = 0;
    for (const who of ['the call’s own agent', 'admin', 'team leader']) {
      await listenAs(who);
      await page.getByText('identical to Twilio’s original').waitFor();
    }
    expect(complaints).toEqual([]);
  });

  test('shows both recordings of a transferred call, each with its own agent', async () => {
    await page.getByLabel('Transferred to a second agent').check();
    await page.getByRole('button', { name: 'Make the call' }).click();
    const tabs = page.getByRole('navigation', { name: 'Recordings of this call' }).getByRole('button');
    await tabs.nth(1).click();
    await page.locator('#steps li.done').filter({ hasText: 'verified' }).waitFor();
    expect(await tabs.count()).toBe(2);
    expect(await tabs.nth(1).getAttribute('aria-pressed')).toBe('true');
    await picture('start-page-transfer');
  });

  test('shows a live call as a session while it lasts, and the alarm of a hold of 31 minutes', async () => {
    complaints.length = 0;
    await page.getByText('No call is live.').waitFor();
    await page.getByRole('button', { name: 'Call on hold for 31 minutes' }).click();
    const session = page.getByRole('table', { name: 'Live sessions' }).getByRole('row').nth(1);
    await session.getByText('on hold since').waitFor();
    expect(await session.textContent()).toMatch(/^call WT….*Everyonealice@northwind\.example.*10 s1on hold/);
    await page.locator('#alarms').getByText('long_hold').waitFor();
    await picture('start-page-live');
    await session.getByRole('button', { name: 'Hang up' }).click();
    await page.getByText('No call is live.').waitFor();
    await page.locator('#alarms:empty').waitFor({ state: 'attached' });
    expect(complaints).toEqual([]);
  });

  test('tells of a fault that was set, and of its end', async () => {
    await page.getByText('Faults', { exact: true }).click();
    await page.getByLabel('How').selectOption('slow');
    await page.getByLabel('Bytes a second').fill('100000');
    await page.getByRole('button', { name: 'Set fault' }).click();
    await page.getByText('Set, for the next request.').waitFor();
    await page.getByRole('button', { name: 'End all faults' }).click();
    await page.getByText('All faults ended.').waitFor();
  });

  test('refuses a file that is no recording, in words', async () => {
    await page
      .getByLabel('Own audio')
      .setInputFiles({ name: 'a.wav', mimeType: 'audio/wav', buffer: Buffer.from('not audio') });
    await page.getByRole('button', { name: 'Make the call' }).click();
    await page.locator('#new-call .form-status[data-state="bad"]').waitFor();
    expect(await page.locator('#new-call .form-status').textContent()).toMatch(/WAV/);
  });

  test('plays a person’s own recording, of one channel and at its own length', async () => {
    await page
      .getByLabel('Own audio')
      .setInputFiles({ name: 'own.wav', mimeType: 'audio/wav', buffer: tone(3) });
    await page.getByLabel('Transferred to a second agent').uncheck();
    await page.getByRole('button', { name: 'Make the call' }).click();
    await page.getByRole('heading', { name: 'Inbound, 3 s' }).waitFor();
    await page.locator('#steps li.done').filter({ hasText: 'verified' }).waitFor();
    await listenAs('supervisor');
    await page.getByText('identical to Twilio’s original').waitFor();
    await page.locator('.waveform-box[data-rows="1"]').waitFor();
  });

  test('fits a narrow screen', async () => {
    await page.getByRole('button', { name: 'Call on hold for 31 minutes' }).click();
    await page.getByRole('table', { name: 'Live sessions' }).waitFor();
    await page.setViewportSize({ width: 400, height: 800 });
    const overflow = await page
      .locator('html')
      .evaluate((html: { scrollWidth: number; clientWidth: number }) => html.scrollWidth - html.clientWidth);
    expect(overflow).toBe(0);
    await picture('start-page-narrow');
  });
});

/** A WAV of one channel, as a person might drop it in. */
function tone(seconds: number): Buffer {
  const samples = Buffer.alloc(8000 * seconds * 2);
  for (let at = 0; at < samples.length; at += 2)
    samples.writeInt16LE(Math.round(8000 * Math.sin((at / 2) * 0.35)), at);
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + samples.length, 4);
  header.write('WAVEfmt ', 8);
  for (const [at, value] of [
    [16, 16],
    [24, 8000],
    [28, 16_000],
  ] as const)
    header.writeUInt32LE(value, at);
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16],
  ] as const)
    header.writeUInt16LE(value, at);
  header.write('data', 36);
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}
