import type { StackEvent } from './events.ts';
import { createNarrator } from './narrator.ts';

let now: number;
let text: string;

beforeEach(() => {
  now = 0;
  text = '';
});

const narrator = (tty = false) =>
  createNarrator({
    write: (more) => {
      text += more;
    },
    tty,
    now: () => now,
  });

const event = (name: string, more: object = {}): StackEvent => ({
  event: name,
  at: 0,
  source: 'server',
  ...more,
});

test('each step of a recording is a line, with the time since the start', () => {
  const { event: tell } = narrator();
  now = 4_250;
  tell(event('call.rang'));
  tell(event('recording.sealed', { by: 'function', bytes: 960_044 }));
  tell(event('recording.sealed', { by: 'worker', bytes: 1 }));
  expect(text.split('\n')).toEqual([
    '  4.3 s  a call rings',
    '  4.3 s  sealed by the Function: 960,044 bytes of audio, encrypted in the bucket',
    '  4.3 s  sealed by the worker: 1 bytes of audio, encrypted in the bucket',
    '',
  ]);
});

test('other events get no line', () => {
  const { event: tell } = narrator();
  for (const name of ['task.updated', 'host.ready', 'toString', 'recording.progress'])
    tell(event(name, { done: 1, total: 2 }));
  expect(text).toBe('');
});

test('of what the Functions log, only a copy left to the host gets a line', () => {
  const { event: tell } = narrator();
  for (const outcome of ['sealed', 'done', 'handed-back', 'failed'])
    tell(event('recording-status-callback', { outcome }));
  expect(text).toBe('  0.0 s  too long for the ten seconds of a Function: the host copies it\n');
});

test('a failed callback says what came of it', () => {
  const { event: tell } = narrator();
  tell(event('callback.failed', { status: 503 }));
  tell(event('callback.failed', { error: 'ECONNREFUSED' }));
  expect(text).toMatch(/failed \(503\)[\s\S]*failed \(no answer\)/);
});
