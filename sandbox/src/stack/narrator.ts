import { Presets, SingleBar } from 'cli-progress';
import type { StackEvent } from './events.ts';

/** A copy shorter than this needs no bar. */
const barAfterMs = 700;

export interface Narrator {
  say(line: string): void;
  /** Writes a line about an event of the recording; ignores other events. */
  event(event: StackEvent): void;
  end(): void;
}

type Facts = StackEvent & {
  by?: string;
  bytes?: number;
  done?: number;
  total?: number;
  ms?: number;
  status?: number;
  proven?: boolean;
};

const number = (value: unknown): string => (typeof value === 'number' ? value.toLocaleString('en') : '?');
const copier = (by: unknown): string => (by === 'worker' ? 'the worker' : 'the Function');

/** The line of each event; an event without one is not shown. */
const lines: Readonly<Record<string, (event: Facts) => string | undefined>> = {
  'call.rang': () => 'a call rings',
  'call.accepted': () => 'an agent accepts it, with recording on',
  'call.ended': () => 'the call has ended; Twilio holds its recording',
  'callback.delivered': ({ status }) => `Twilio has called the recording callback (${status ?? 'answered'})`,
  'callback.failed': ({ status }) =>
    `Twilio's callback has failed (${status ?? 'no answer'}); Twilio will try again`,
  'recording.registered': () => "registered: details confirmed by Twilio's API",
  'recording.linked': () => 'linked: playback link written to the task',
  'recording.unlinked': () => 'not linked: the task no longer exists',
  'recording.refused': () => "not linked: Twilio does not confirm the browser's claim",
  'recording.leased': ({ by }) => `copying, by ${copier(by)}`,
  'recording-status-callback': ({ outcome }) =>
    outcome === 'handed-back' ? 'too long for the ten seconds of a Function: the host copies it' : undefined,
  'recording.sealed': ({ by, bytes }) =>
    `sealed by ${copier(by)}: ${number(bytes)} bytes of audio, encrypted in the bucket`,
  'recording.verified': ({ proven }) =>
    `verified${proven ? ', and proven' : ''}: read back from the bucket and decrypted`,
  'recording.proven': () => "proven: the host has compared the copy with Twilio's media",
  'recording.rejected': () => "rejected: the copy differs from Twilio's recording, and is made again",
  'recording.absent': () => 'absent: Twilio recorded nothing',
  'recording.failed': () => 'failed: see the log of the server',
};

export function createNarrator(options: {
  write: (text: string) => void;
  tty: boolean;
  now?: () => number;
}): Narrator {
  const { write, tty } = options;
  const now = options.now ?? (() => performance.now());
  const began = now();
  let bar: SingleBar | undefined;
  let copyBegan: number | undefined;

  const endBar = () => {
    bar?.stop();
    bar = undefined;
    copyBegan = undefined;
  };
  const say = (line: string) => {
    const at = `${((now() - began) / 1000).toFixed(1)} s`.padStart(7);
    write(tty ? `\u001b[2m${at}\u001b[0m  ${line}\n` : `${at}  ${line}\n`);
  };
  const progress = (event: Facts) => {
    copyBegan ??= now();
    if (!tty || !event.total || now() - copyBegan < barAfterMs) return;
    if (!bar) {
      bar = new SingleBar(
        { format: '         {bar} {percentage} %', hideCursor: true },
        Presets.shades_classic,
      );
      bar.start(event.total, event.done ?? 0);
    }
    bar.update(event.done ?? 0);
  };

  return {
    say,
    event(event) {
      if (event.event === 'recording.progress') return progress(event);
      const line = Object.hasOwn(lines, event.event) ? lines[event.event]?.(event) : undefined;
      if (line === undefined) return;
      endBar();
      say(line);
    },
    end: endBar,
  };
}
