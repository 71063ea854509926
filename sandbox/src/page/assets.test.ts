import type { EventView } from './contract.ts';

/** The page's scripts are plain JavaScript; these are the parts of them that need no browser. */
interface Steps {
  standing(
    events: readonly EventView[],
    seen: readonly string[],
  ): { name: string; state: string; detail?: unknown; share?: number }[];
}
interface Holds {
  attributesOf(task: unknown): object;
  mediaEntries(attributes: object): unknown[];
  names(entry: unknown, recording: string): boolean;
}
interface Dom {
  bytes(count: number | undefined): string;
  duration(seconds: number): string;
  person(identity: string): string;
}

// Not a literal: TypeScript would look for types that plain JavaScript has not.
const load = async <T>(name: string): Promise<T> => (await import(`./assets/${name}.js`)) as T;
const at = '2026-11-21T10:00:00.000Z';
const events = (...names: EventView['event'][]): EventView[] => names.map((event) => ({ event, at }));
const way = ['rang', 'accepted', 'ended', 'callback', 'registered', 'linked', 'sealed', 'verified'];

describe('standing', () => {
  const states = async (list: EventView[], seen: string[] = []) =>
    Object.fromEntries(
      (await load<Steps>('steps')).standing(list, seen).map((step) => [step.name, step.state]),
    );

  test('begins with nothing done', async () => {
    const all = await states([]);
    expect(Object.keys(all)).toEqual(way);
    expect(Object.values(all)).toEqual(['now', ...Array(7).fill('ahead')]);
  });

  test('is all done when a recording is verified and linked', async () => {
    const all = await states(events('recording.linked', 'recording.verified'));
    expect(new Set(Object.values(all))).toEqual(new Set(['done']));
  });

  test('does not take a link for granted because the copy is verified', async () => {
    expect((await states(events('recording.verified')))['linked']).toBe('now');
  });

  test('keeps what was done in the order that events came in', async () => {
    const all = await states(events('recording.registered', 'recording.linked', 'callback.delivered'));
    expect(all).toMatchObject({ callback: 'done', linked: 'done', sealed: 'now', verified: 'ahead' });
  });

  test('shows what the state shows where no event came', async () => {
    expect(await states([], ['sealed', 'linked'])).toMatchObject({ registered: 'done', verified: 'now' });
  });

  test.each([
    ['callback.failed', 'callback'],
    ['recording.unlinked', 'linked'],
    ['recording.refused', 'linked'],
    ['recording.absent', 'sealed'],
    ['recording.rejected', 'verified'],
    ['recording.failed', 'sealed'],
  ] as const)('shows the trouble of %s, until it is over', async (event, step) => {
    expect((await states(events(event)))[step]).toBe('trouble');
    const solved = { callback: 'callback.delivered' }[step as string] ?? `recording.${step}`;
    expect((await states(events(event, solved as EventView['event'])))[step]).toBe('done');
  });

  test('shows a copy that was given up at the step that failed', async () => {
    const all = await states(events('recording.sealed', 'recording.failed'));
    expect(all).toMatchObject({ sealed: 'done', verified: 'trouble' });
  });

  test('says whether a verified copy is proven', async () => {
    const { standing } = await load<Steps>('steps');
    const word = (...list: EventView[]) => standing(list, [])[7]?.detail;
    const verified = { event: 'recording.verified', at } as const;
    expect(word({ ...verified, proven: true })).toBe('proven');
    expect(word({ ...verified, proven: false })).toBe('not proven yet');
    expect(word({ ...verified, proven: false }, { event: 'recording.proven', at })).toBe('proven');
  });

  test('says how far a copy is', async () => {
    const { standing } = await load<Steps>('steps');
    const sealed = standing([{ event: 'recording.progress', at, done: 250, total: 1000 }], [])[6];
    expect(sealed).toMatchObject({ state: 'now', share: 0.25, detail: '25 % of 1.0 kB' });
  });
});

test('finds the media entries of a task at both levels, in text or parsed', async () => {
  const { attributesOf, mediaEntries, names } = await load<Holds>('holds');
  const media = (sid: string) => ({
    media: [{ url_provider: `https://host/url-provider?recording=${sid}` }],
  });
  const attributes = { conversations: media('RE1'), reservation_attributes: { WR1: media('RE2'), WR2: {} } };
  for (const task of [{ attributes }, { attributes: JSON.stringify(attributes) }]) {
    const entries = mediaEntries(attributesOf(task));
    expect(entries.map((entry) => [names(entry, 'RE1'), names(entry, 'RE2')])).toEqual([
      [true, false],
      [false, true],
    ]);
  }
  for (const task of [undefined, {}, { attributes: 'not JSON' }])
    expect(mediaEntries(attributesOf(task))).toEqual([]);
  expect(names(null, 'RE1')).toBe(false);
});

test('writes sizes, lengths and people as a reader would', async () => {
  const { bytes, duration, person } = await load<Dom>('dom');
  expect([bytes(12), bytes(1234), bytes(12_345_678), bytes(undefined)]).toEqual([
    '12 bytes',
    '1.2 kB',
    '12.3 MB',
    'unknown size',
  ]);
  expect([duration(0), duration(59.6), duration(125), duration(3725)]).toEqual([
    '0 s',
    '1:00 min',
    '2:05 min',
    '1:02:05 h',
  ]);
  expect(person('alice_40northwind_2Eexample')).toBe('alice@northwind.example');
});
