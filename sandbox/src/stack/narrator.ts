import { Presets, SingleBar } from 'cli-progress';
import type { StackEvent } from './events.ts';

/** A copy shorter than this needs no bar. */
const barAfterMs = 700;

export interface Narrator {
  say(line: string): void;
  /** Tells an event of the recording's way; what is not about it passes unsaid. */
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

/** What each event is told as; an event that is not here passes unsaid. */
const told: Readonly<Record<string, (event: Facts) => string | undefined>> = {
  'call.rang': () => 'a call rings',
  'call.accepted': () => 'an agent accepts it, with recording on',
  'call.ended': () => 'the call has ended; Twilio holds its recording',
  'callback.delivered': ({ status }) => `Twilio has called the Function back (${status ?? 'answered'})`,
  'callback.failed': ({ status }) =>
    `Twilio's callback has failed (${status ?? 'no answer'}); it will be tried again`,
  'recording.registered': () => 'registered: read again from Twilio, which alone is believed',
  'recording.linked': () => 'linked: the task shows where to listen',
  'recording.unlinked': () => 'not linked: the task is gone',
  'recording.refused': () => 'not linked: what the browser claimed was not proven',
  'recording.leased': ({ by }) => `being copied by ${copier(by)}`,
  'recording-status-callback': ({ outcome }) =>
    outcome === 'handed-back' ? 'too long for the ten seconds of a Function: handed to the host' : undefined,
  'recording.sealed': ({ by, bytes }) =>
    `sealed by ${copier(by)}: ${number(bytes)} bytes of audio, unreadable in the bucket`,
  'recording.verified': ({ proven }) =>
    `verified${proven ? ', and proven' : ''}: read back from the bucket and opened, frame by frame`,
  'recording.proven': () => "proven: the host has read Twilio's media itself, and the copy is equal to it",
  'recording.rejected': () => 'not what Twilio has: it will be copied again',
  'recording.absent': () => 'absent: Twilio has recorded nothing',
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
      const tell = Object.hasOwn(told, event.event) ? told[event.event] : undefined;
      const line = tell?.(event);
      if (line === undefined) return;
      endBar();
      say(line);
    },
    end: endBar,
  };
}
