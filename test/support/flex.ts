import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import type { Sandbox } from '../../sandbox/src/index.ts';
import type { LiveCallView } from '../../sandbox/src/live/view.ts';
import { openBrowser } from './browser.ts';
import { patienceMs } from './until.ts';

/** What the sandbox is asked for beside the desktop: rings it, plays the customer and whoever is no browser. */
export interface LiveCalls {
  ring(options?: {
    direction?: 'inbound' | 'outbound' | 'internal';
    channel?: 'voice' | 'chat';
    worker?: string;
    queue?: string;
    attributes?: Record<string, unknown>;
  }): Promise<{ task: string; reservation: string; worker: string; customerCall?: string }>;
  /** `accept`, `transfer`, `consult`, `customer-hangup`, …: sandbox/src/README.md lists them. */
  act(task: string, action: string, more?: Record<string, unknown>): Promise<LiveCallView>;
  look(task: string): Promise<LiveCallView>;
  /** A new Flex token in the place of the worker's, which is refused from then on. */
  renewToken(worker: string): Promise<{ token: string }>;
  /** What Flex's Configuration says from the next page on: `ui_attributes.flex_custody`, call recording. */
  configure(change: Record<string, unknown>): Promise<unknown>;
}

export function liveCalls(sandbox: Pick<Sandbox, 'url'>): LiveCalls {
  const ask = async <T>(path: string, body?: object): Promise<T> => {
    const response = await fetch(`${sandbox.url}/sandbox/live/${path}`, {
      method: body ? 'POST' : 'GET',
      ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
    });
    const answer = (await response.json()) as T & { error?: string };
    if (!response.ok) throw new Error(`${path}: ${answer.error}`);
    return answer;
  };
  return {
    ring: (options = {}) => ask('calls', options),
    act: (task, action, more = {}) => ask(`calls/${task}`, { action, ...more }),
    look: (task) => ask(`calls/${task}`),
    renewToken: (worker) => ask('token', { worker }),
    configure: (change) => ask('configuration', change),
  };
}

/** What Flex UI itself believes of the task that is looked at. */
export interface DesktopTask {
  sid: string;
  taskSid: string;
  status: string;
  attributes: Record<string, unknown>;
  conferenceSid?: string;
  participants: { type: string; callSid: string; status: string; self: boolean; onHold: boolean }[];
}

/** A browser of its own with the real Flex desktop, logged in as one worker. */
export interface FlexDesktop {
  readonly page: Page;
  /** What its console said at level error, and what it threw. */
  readonly complaints: string[];
  /** Addresses beyond this machine that the page has asked for: none, whatever Flex or a plugin tries. */
  readonly strangers: string[];
  /** Clicks Accept, by default of the only task; resolves when the call is live. */
  accept(): Promise<void>;
  hangUp(): Promise<void>;
  complete(): Promise<void>;
  /** `task` by its WT; all by default. */
  tasks(): Promise<DesktopTask[]>;
  /** Waits until `check` holds of what Flex believes. @throws Error with the last belief */
  until(what: string, check: (tasks: DesktopTask[]) => boolean, withinMs?: number): Promise<DesktopTask[]>;
  /** PNG in test/output/flex/. */
  screenshot(name: string): Promise<string>;
  close(): Promise<void>;
}

/** Opens `/flex` and waits until the desktop can take a call. @param options `roles` default to agent */
export async function openFlex(
  sandbox: Pick<Sandbox, 'url'>,
  options: { worker?: string; roles?: readonly string[]; width?: number; height?: number } = {},
): Promise<FlexDesktop> {
  const browser = await openBrowser();
  try {
    const { page, complaints } = await browser.page({
      width: options.width ?? 1400,
      height: options.height ?? 900,
    });
    const strangers: string[] = [];
    page.on('request', (request) => {
      if (!/^(https?:\/\/127\.0\.0\.1[:/]|data:|blob:)/.test(request.url())) strangers.push(request.url());
    });
    const query = new URLSearchParams({
      ...(options.worker ? { worker: options.worker } : {}),
      roles: (options.roles ?? ['agent']).join(','),
    });
    await page.goto(`${sandbox.url}/flex?${query}`);
    await page.getByTestId('activity-dropdown-button').first().waitFor();
    return desktopOn({ page, complaints, strangers, close: () => browser.close() });
  } catch (error) {
    await browser.close();
    throw error;
  }
}

function desktopOn(own: Pick<FlexDesktop, 'page' | 'complaints' | 'strangers' | 'close'>): FlexDesktop {
  const { page } = own;
  const click = async (...candidates: Locator[]) => {
    const [first, ...others] = candidates;
    if (!first) return;
    await others
      .reduce((all, one) => all.or(one), first)
      .first()
      .click();
  };
  const tasks = () => page.evaluate<DesktopTask[]>(belief);
  const until: FlexDesktop['until'] = async (what, check, withinMs = patienceMs) => {
    const end = Date.now() + withinMs;
    for (;;) {
      const now = await tasks();
      if (check(now)) return now;
      if (Date.now() > end) throw new Error(`${what}: not within ${withinMs} ms; ${JSON.stringify(now)}`);
      await page.waitForTimeout(100);
    }
  };
  return {
    ...own,
    tasks,
    until,
    async accept() {
      await click(page.getByTestId('accept-task'), page.getByTestId('accept-task-button'));
      await until('accepted', (all) => all.some(({ status }) => status === 'accepted'));
    },
    hangUp: () => click(page.getByTestId('hangup-task'), page.getByTestId('end-task-button')),
    complete: () => click(page.getByRole('button', { name: 'Complete', exact: true })),
    async screenshot(name) {
      const folder = join(process.cwd(), 'test', 'output', 'flex');
      mkdirSync(folder, { recursive: true });
      const path = join(folder, `${name}.png`);
      await page.screenshot({ path });
      return path;
    },
  };
}

/** Runs in the page, where there is no TypeScript. */
const belief = `[...Twilio.Flex.Manager.getInstance().store.getState().flex.worker.tasks.values()].map((task) => ({
  sid: task.sid,
  taskSid: task.taskSid,
  status: task.status,
  attributes: task.attributes,
  conferenceSid: task.conference?.conferenceSid,
  participants: (task.conference?.participants ?? []).map((one) => ({
    type: one.participantType, callSid: one.callSid, status: one.status, self: one.isCurrentWorker, onHold: one.onHold,
  })),
}))`;
