import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { type Sandbox, startSandbox } from '../../sandbox/src/index.ts';
import { openBrowser, type TestBrowser } from '../support/browser.ts';
import { describeWhere } from '../support/needs.ts';

const pictures = join(process.cwd(), 'test', 'output');

/** The sandbox alone: what its Brevo has received is sent by the test. */
describeWhere('chromium', "the start page's list of what Brevo has received", () => {
  let dataDir: string;
  let sandbox: Sandbox;
  let browser: TestBrowser;
  let page: Page;

  beforeAll(async () => {
    await mkdir(pictures, { recursive: true });
    dataDir = await mkdtemp(join(tmpdir(), 'brevo-page-'));
    sandbox = await startSandbox({
      port: 0,
      dataDir,
      functionsBaseUrl: 'https://flex-custody-4200-dev.twil.io',
      functionsOrigin: 'http://127.0.0.1:9',
      publicHostUrl: 'http://127.0.0.1:9',
    });
    sandbox.brevo.account.settings.limits = 100;
    browser = await openBrowser();
    ({ page } = await browser.page());
    await page.goto(sandbox.url);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await sandbox?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const send = async (path: string, body: object) => {
    const response = await fetch(`${sandbox.brevo.localUrl}${path}`, {
      method: 'POST',
      headers: { 'api-key': sandbox.brevo.apiKey, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.ok).toBe(true);
  };
  const event = (name: string, extId: string, properties: object) =>
    send('/events', { event_name: name, identifiers: { ext_id: extId }, event_properties: properties });
  const contacts = () => page.locator('details.contact');
  const rows = (at: number) => contacts().nth(at).locator('tbody tr');

  test('says so when there is nothing yet', async () => {
    await page.locator('#brevo').getByText('Nothing yet.').waitFor();
  });

  test('lists what came of each contact, with the agent by name and identifiers shortened', async () => {
    const [agent] = sandbox.twilio.world.workers.keys();
    const email = 'dana.diaz@customer.example';
    await send('/contacts', { ext_id: 'dana', email, attributes: { SMS: '+14155550142' }, listIds: [3] });
    await event('SUPPORT_RESOLVED', 'dana', { channel: 'voice', agent, wait_seconds: 7, talk_seconds: 125 });
    await event('CSAT_SUBMITTED', 'dana', { channel: 'voice', agent, csat_score: 5 });
    await rows(0).nth(1).waitFor();
    expect(await page.locator('#brevo-total').textContent()).toBe('1 contact, 2 events');
    expect(await contacts().locator('summary').textContent()).toMatch(
      /d…@customer\.example.*\+141…142.*Support contacts/,
    );
    const cells = await rows(0).nth(1).locator('td').allTextContents();
    expect(cells.toSpliced(1, 1)).toEqual([
      'SUPPORT_RESOLVED',
      'voice',
      'alice@northwind.example',
      '7 s',
      '2:05 min',
      '',
    ]);
    expect((await rows(0).nth(0).locator('td').allTextContents()).at(-1)).toBe('5');
    expect(await page.locator('#brevo').textContent()).not.toMatch(/dana\.diaz|4155550/);
  });

  test('keeps open what a reader opened, and closed what they closed, when more comes', async () => {
    for (const extId of ['b', 'c'])
      await send('/contacts', { ext_id: extId, attributes: { FIRSTNAME: extId } });
    await contacts().nth(2).waitFor();
    const of = (extId: string) =>
      contacts().filter({ hasText: extId === 'dana' ? 'customer.example' : `ext_id ${extId}` });
    expect(await of('dana').getAttribute('open')).toBeNull();
    await of('dana').locator('summary').click();
    await of('c').locator('summary').click();
    await event('SUPPORT_REQUESTED', 'b', { channel: 'sms' });
    await of('b').getByText('SUPPORT_REQUESTED').waitFor();
    expect(await of('dana').getAttribute('open')).not.toBeNull();
    expect(await of('c').getAttribute('open')).toBeNull();
  });

  test.each([390, 900, 1400])('fits a page of %i', async (width) => {
    await page.setViewportSize({ width, height: 900 });
    const overflow = await page
      .locator('html')
      .evaluate((html: { scrollWidth: number; clientWidth: number }) => html.scrollWidth - html.clientWidth);
    expect(overflow).toBe(0);
    await page.screenshot({ path: join(pictures, `start-page-brevo-${width}.png`), fullPage: true });
  });

  test('a customer writes from the page', async () => {
    await page.locator('#new-text').getByLabel('Channel').selectOption('whatsapp');
    await page.getByLabel('Survey’s answer').selectOption('4');
    await page.getByRole('button', { name: 'Write' }).click();
    await page.getByText('Written, answered, and closed.').waitFor();
    const [conversation] = sandbox.twilio.world.conversations.values();
    expect(conversation).toMatchObject({
      state: 'closed',
      participants: [{ binding: { type: 'whatsapp' } }, {}],
    });
    const surveys = [...sandbox.twilio.world.tasks.values()].filter(({ attributes }) =>
      attributes.includes('isSurveyTask'),
    );
    expect(surveys.map(({ attributes }) => JSON.parse(attributes) as object)).toMatchObject([
      { conversations: { conversation_measure_1: 4 } },
    ]);
  });
});
