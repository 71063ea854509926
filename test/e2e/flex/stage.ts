import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import type { LiveCallView } from '../../../sandbox/src/live/view.ts';
import { type Stack, type StackOptions, startStack } from '../../../sandbox/src/stack/index.ts';
import { type FlexDesktop, type LiveCalls, liveCalls, openFlex } from '../../support/flex.ts';
import { patienceMs } from '../../support/until.ts';

/** The whole local stack, and the desktops of those who work on it. */
export interface Stage {
  readonly stack: Stack;
  readonly live: LiveCalls;
  /** Alice, Bruno and Carla. */
  readonly workers: readonly [string, string, string];
  /** A desktop that is closed with the stage. */
  open(worker: string, roles?: readonly string[]): Promise<FlexDesktop>;
  /** Ends what a failed test has left, so that it takes no other with it. */
  clear(): Promise<void>;
  /** Opens the page anew with these parts of `ui_attributes.flex_custody` set; the next call of it starts from the first ones. */
  reopen(
    desktop: FlexDesktop,
    change: Record<string, unknown>,
    flex?: Record<string, unknown>,
  ): Promise<void>;
  /** A counter or gauge of the host: `custody_reports_total{kind="consent",…}`, its labels in any order. */
  metric(name: string, labels: Readonly<Record<string, string>>): Promise<number>;
  /** Waits until what is live looks so. @throws Error with the last look */
  until(
    task: string,
    what: string,
    check: (view: LiveCallView) => boolean,
    ms?: number,
  ): Promise<LiveCallView>;
  /** Waits until each of the task's recordings is proven to be in custody; the recordings by their reservations. */
  custody(task: string, count: number): Promise<Record<string, string[]>>;
  close(): Promise<void>;
}

/** @param settings parts of `ui_attributes.flex_custody`; without biometrics where they do not say so */
export async function setStage(
  options: Partial<StackOptions> = {},
  settings: Record<string, unknown> = { veridas: { enabled: false } },
): Promise<Stage> {
  const dataDir = await mkdtemp(join(tmpdir(), 'flex-stage-'));
  const stack = await startStack({ dataDir, ...options });
  const live = liveCalls(stack.sandbox);
  const desktops: FlexDesktop[] = [];
  const { world, desktop } = stack.sandbox.twilio;
  const [alice = '', bruno = '', carla = ''] = world.workers.keys();
  const first = {
    ...(desktop.settings.ui_attributes['flex_custody'] as Record<string, unknown>),
    ...settings,
  };
  await live.configure({ ui_attributes: { flex_custody: first } });

  const until: Stage['until'] = async (task, what, check, ms = patienceMs) => {
    const end = Date.now() + ms;
    for (;;) {
      const view = await live.look(task);
      if (check(view)) return view;
      if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms; ${JSON.stringify(view)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };

  return {
    stack,
    live,
    workers: [alice, bruno, carla],
    until,
    async open(worker, roles = ['agent']) {
      const opened = await openFlex(stack.sandbox, { worker, roles });
      desktops.push(opened);
      return opened;
    },
    async clear() {
      const { exchange } = stack.sandbox.twilio;
      for (const one of world.reservations.values()) {
        if (one.status === 'pending') exchange.reject(one);
        if (one.status === 'accepted') exchange.hangUp(one);
        if (one.status === 'wrapping') exchange.complete(one);
      }
      for (const one of desktops) {
        if (one.page.isClosed() || (await one.tasks()).length === 0) continue;
        await one.page.reload();
        await ready(one);
      }
    },
    async reopen(one, change, flex = {}) {
      await live.configure({
        call_recording_enabled: false,
        call_recording_webhook_url: '',
        ...flex,
        ui_attributes: { flex_custody: { ...first, ...change } },
      });
      await one.page.goto(`${stack.urls.sandbox}/flex${new URL(one.page.url()).search}`);
      await ready(one);
    },
    async metric(name, labels) {
      const text = await (await fetch(`${stack.urls.ops}/metrics`)).text();
      const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
      const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
      return lines
        .filter((line) => wanted.every((part) => line.includes(part)))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    },
    async custody(task, count) {
      const { recordings } = await until(
        task,
        `${count} recordings`,
        (view) => view.recordings.filter(({ status }) => status === 'completed').length === count,
      );
      for (const { sid } of recordings) {
        await stack.events.until(
          (event) => event.event === 'recording.verified' && event.recording === sid,
          `${sid} verified`,
          patienceMs,
        );
      }
      const { attributes } = (await live.look(task)).task;
      return linksOf(attributes);
    },
    async close() {
      await Promise.all(desktops.map((one) => one.close()));
      await stack.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const ready = (desktop: FlexDesktop) =>
  desktop.page.getByTestId('activity-dropdown-button').first().waitFor();

/** Which recordings a task shows, by reservation; those at the task itself under `task`. */
function linksOf(attributes: unknown): Record<string, string[]> {
  const { reservation_attributes: own = {}, conversations } = attributes as {
    reservation_attributes?: Record<string, { media?: Entry[] }>;
    conversations?: { media?: Entry[] };
  };
  const links = Object.entries(own).map(([sid, { media }]) => [sid, recordingsIn(media)] as const);
  const all = conversations?.media ? [...links, ['task', recordingsIn(conversations.media)] as const] : links;
  return Object.fromEntries(all);
}

interface Entry {
  url_provider?: string;
}

const recordingsIn = (media: Entry[] = []) =>
  media.map(({ url_provider = '' }) => new URL(url_provider).searchParams.get('recording') ?? '');

/** The task that a desktop shows, by its WT, once it does. */
export const joined = (desktop: FlexDesktop, legs = 2) =>
  desktop.until(
    `${legs} in the call`,
    // One without a call is Flex's own, for a transfer that it waits for.
    ([task]) =>
      task?.participants.filter(({ status, callSid }) => status === 'joined' && callSid).length === legs,
  );

/** Clicks through Flex's own directory: `Transfer to`, a cold one, or `Consult`, a warm one. */
export async function transfer(
  desktop: FlexDesktop,
  how: 'Transfer to' | 'Consult',
  name: string,
): Promise<void> {
  await joined(desktop);
  await desktop.page.getByTestId('call-transfer').click();
  await desktop.page.getByText(name).first().hover();
  await desktop.page.getByRole('button', { name: `${how} ${name}` }).click();
}

/** Leaves the call, if it is live, and its wrap-up; the desktop is free then. */
export async function finish(desktop: FlexDesktop): Promise<void> {
  const [task] = await desktop.tasks();
  if (task?.status === 'accepted') await desktop.hangUp();
  await desktop.complete();
  await desktop.until('free', (all) => all.length === 0);
}

/** What the indicator in the task's header says: `recording`, `paused`, `starting`, `not-recorded`. */
export const indicator = (desktop: FlexDesktop) => desktop.page.getByTestId('flex-custody-status');

/** Serious findings of axe in what matches. */
export async function findings(desktop: FlexDesktop, selector: string): Promise<string[]> {
  await desktop.page.evaluate(axe.source);
  return desktop.page.evaluate<string[]>(`axe.run(${JSON.stringify(selector)}).then(({ violations }) =>
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`);
}

/** What a console said that is not Flex's own habit: it asks for a service that is not there, and falls back. */
export const complaintsOf = (desktop: FlexDesktop): string[] =>
  desktop.complaints.filter((text) => !/Could not ensure conference|setEndConferenceOnExit/.test(text));

/** Waits for it. */
export async function shows(desktop: FlexDesktop, status: string, ms = patienceMs): Promise<void> {
  await desktop.page
    .locator(`[data-testid="flex-custody-status"][data-status="${status}"]`)
    .waitFor({ timeout: ms });
}
