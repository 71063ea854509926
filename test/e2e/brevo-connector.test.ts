import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { customerNumber } from '../../sandbox/src/live/attributes.ts';
import { type Stack, startStack } from '../../sandbox/src/stack/index.ts';
import { openBrowser, type TestBrowser } from '../support/browser.ts';
import { describeWhere } from '../support/needs.ts';
import { until } from '../support/until.ts';

const pictures = join(process.cwd(), 'test', 'output');

describeWhere('chromium', 'what the host sends to Brevo, on the start page', () => {
  let dataDir: string;
  let stack: Stack;
  let browser: TestBrowser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    await mkdir(pictures, { recursive: true });
    dataDir = await mkdtemp(join(tmpdir(), 'brevo-connector-'));
    const starting = startStack({ dataDir, brevo: true });
    browser = await openBrowser();
    stack = await starting;
    stack.sendAgentEvents();
    ({ page, complaints } = await browser.page());
    await page.goto(stack.urls.sandbox);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await stack?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const contacts = () => page.locator('details.contact');
  const rows = (...texts: string[]) =>
    texts.reduce((found, hasText) => found.filter({ hasText }), contacts().first().locator('tbody tr'));

  test('a call, and an SMS whose survey was answered, of one customer', async () => {
    await page.getByRole('button', { name: 'Make the call' }).click();
    await page.locator('#new-text').getByLabel('Channel').selectOption('sms');
    await page.getByLabel('Survey’s answer').selectOption('4');
    await page.getByRole('button', { name: 'Write' }).click();
    await page.getByText('Written, answered, and closed.').waitFor();
    for (const name of ['SUPPORT_REQUESTED', 'SUPPORT_RESOLVED'])
      for (const channel of ['voice', 'sms']) await rows(name, channel).waitFor();
    await rows('CONVERSATION_ENDED', 'sms').waitFor();
    const answer = rows('CSAT_SUBMITTED', 'sms');
    await answer.waitFor();
    expect((await answer.locator('td').allTextContents()).toSpliced(1, 1)).toEqual([
      'CSAT_SUBMITTED',
      'sms',
      'alice@northwind.example',
      '10 s',
      '3:00 min',
      '4',
    ]);
    expect(await contacts().count()).toBe(1);
    expect(await contacts().locator('summary').textContent()).toMatch(
      /SMS.*Support contacts.*CSAT respondents/,
    );
    expect(await page.locator('#brevo-total').textContent()).toBe('1 contact, 6 events');
    expect(complaints).toEqual([]);
    await page.screenshot({ path: join(pictures, 'start-page-brevo-host.png'), fullPage: true });
  });

  test('who writes by WhatsApp from the number of a caller is the same contact', async () => {
    const response = await fetch(`${stack.urls.sandbox}/sandbox/texts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ channel: 'whatsapp', address: customerNumber }),
    });
    expect(response.ok).toBe(true);
    await rows('CONVERSATION_ENDED', 'whatsapp').waitFor();
    const { account } = stack.sandbox.brevo;
    await until(() => account.contacts.all()[0]?.attributes.get('TOTAL_CONVERSATIONS') === 3);
    const digits = customerNumber.replace('+', '');
    expect(account.contacts.all().map(({ identifiers }) => Object.fromEntries(identifiers))).toEqual([
      { SMS: digits, WHATSAPP: digits },
    ]);
  });
});
