import { createEventStream, eventOf, type StackEvent } from './events.ts';

const event = (name: string, more: object = {}): StackEvent => ({
  event: name,
  at: 0,
  source: 'server',
  ...more,
});

describe('who waits for an event', () => {
  test('finds it in the past', async () => {
    const stream = createEventStream();
    stream.push(event('a'));
    stream.push(event('b', { recording: 'RE1' }));
    expect(await stream.until(({ recording }) => recording === 'RE1', 'b', 10)).toMatchObject({ event: 'b' });
  });

  test('or gets it when it happens, once', async () => {
    const stream = createEventStream();
    const first = stream.until(({ event: name }) => name === 'a', 'a', 1_000);
    stream.push(event('b'));
    stream.push(event('a', { ms: 1 }));
    stream.push(event('a', { ms: 2 }));
    expect(await first).toMatchObject({ ms: 1 });
  });

  test('is told what did not come', async () => {
    await expect(createEventStream().until(() => false, 'RE1 verified', 20)).rejects.toThrow(
      'RE1 verified: not within 0.02 s',
    );
  });

  test('is not left waiting when nothing can come any more', async () => {
    const stream = createEventStream();
    const waiting = stream.until(() => false, 'x', 60_000);
    stream.fail(new Error('the host has ended'));
    await expect(waiting).rejects.toThrow('the host has ended');
  });

  test('and everybody else hears each as it comes', () => {
    const heard: string[] = [];
    const stream = createEventStream(({ event: name }) => heard.push(name));
    stream.push(event('a'));
    stream.push(event('b'));
    expect([heard, stream.all().map(({ event: name }) => name)]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });
});

test.each([
  [
    '{"event":"recording.sealed","recording":"RE1","bytes":3}',
    { event: 'recording.sealed', recording: 'RE1', bytes: 3 },
  ],
  ['{"event":"call.rang","at":"2026-11-21T10:00:00Z"}', { event: 'call.rang', at: 7 }],
])('%s is an event', (line, expected) => {
  expect(eventOf(line, 'server', 7)).toMatchObject({ ...expected, at: 7, source: 'server' });
});

test.each(['Server listening', '{"msg":"request"}', '{"event":3}', '{broken', ''])('%s is none', (line) => {
  expect(eventOf(line, 'server')).toBeUndefined();
});
