import { Readable } from 'node:stream';
import { CustodyError } from '@flex-custody/core';
import { type Taker, Turns } from './turns.ts';

export interface RestingDeps {
  /** First byte. */
  start: number;
  /** Last byte, inclusive. Undefined if it is not known: then the source cannot be opened again, and stays open. */
  end: number | undefined;
  /** Opens the same audio from this byte on; the signal aborts it. */
  open(from: number, signal: AbortSignal): Promise<Readable>;
  /** A source that is open already, at `start`. */
  first?: Readable;
  /** Makes our error of the source's error. */
  named?: (error: unknown) => unknown;
}

/** How long a listener may read nothing before the connection to the store is closed. */
const restMs = 45_000;
/** A listener who got data within this time is not paused. */
const pausedMs = 1_000;

/**
 * The sources that are open for listeners. A source is closed when its listener reads nothing for a while, and opened again at
 * the same byte when the listener continues; while too many are open, the one that has waited longest is closed at once.
 */
export class Reads {
  readonly turns: Turns;
  readonly #open = new Set<RestingStream>();
  #again: NodeJS.Timeout | undefined;
  readonly most: number;
  readonly restMs: number;
  readonly pausedMs: number;

  constructor(options: { most: number; restMs?: number; pausedMs?: number; turns?: Turns }) {
    this.most = options.most;
    this.turns = options.turns ?? new Turns();
    this.restMs = options.restMs ?? restMs;
    this.pausedMs = options.pausedMs ?? pausedMs;
  }

  /** Sources that are open or being opened. */
  get size(): number {
    return this.#open.size;
  }

  stream(deps: RestingDeps): Readable {
    return new RestingStream(this, deps);
  }

  enter(stream: RestingStream): void {
    this.#open.add(stream);
    this.#relieve();
  }

  leave(stream: RestingStream): void {
    this.#open.delete(stream);
    this.turns.leave(stream);
  }

  /** Closes those that have waited longest until the number is within the limit; if none waits, checks again soon. */
  #relieve(): void {
    while (this.#open.size > this.most) {
      const before = performance.now() - this.pausedMs;
      let idlest: RestingStream | undefined;
      for (const one of this.#open) if (one.waitsSince(idlest?.pausedAt ?? before)) idlest = one;
      if (!idlest) {
        this.#again ??= setTimeout(
          () => {
            this.#again = undefined;
            this.#relieve();
          },
          Math.max(10, this.pausedMs),
        ).unref();
        return;
      }
      idlest.rest();
    }
  }
}

class RestingStream extends Readable implements Taker {
  /** Since when data waits for the listener, by `performance.now()`; undefined while the listener waits for data. */
  pausedAt: number | undefined;
  readonly #reads: Reads;
  readonly #parts: RestingDeps;
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #at: number;
  #source: Readable | undefined;
  #opening = false;

  constructor(reads: Reads, deps: RestingDeps) {
    // Buffers no more than the current chunk.
    super({ highWaterMark: 1 });
    this.#reads = reads;
    this.#parts = deps;
    this.#at = deps.start;
    this.#timer = setTimeout(() => this.rest(), reads.restMs);
    this.#timer.unref();
    if (!deps.first) return;
    reads.enter(this);
    this.#follow(deps.first);
    this.#pause(deps.first);
  }

  /** Whether its source is open, can be opened again, and has waited for its listener since then or longer. */
  waitsSince(time: number): boolean {
    const isOpen = this.#source !== undefined && this.#parts.end !== undefined;
    return isOpen && this.pausedAt !== undefined && this.pausedAt <= time;
  }

  /** Closes the source of a listener who reads nothing. */
  rest(): void {
    const source = this.#source;
    if (!source || !this.waitsSince(performance.now())) return;
    this.#source = undefined;
    this.#reads.leave(this);
    source.destroy();
  }

  override _read(): void {
    this.pausedAt = undefined;
    this.#reads.turns.ask(this);
  }

  go(): void {
    if (this.#source) this.#source.resume();
    else if (!this.#opening) this.#begin();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#stop.abort();
    this.#reads.leave(this);
    this.#source?.destroy();
    done(error);
  }

  #begin(): void {
    this.#opening = true;
    this.#reads.enter(this);
    this.#parts.open(this.#at, this.#stop.signal).then(
      (source) => {
        this.#opening = false;
        if (this.destroyed) source.on('error', () => undefined).destroy();
        else this.#follow(source);
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #follow(source: Readable): void {
    this.#source = source;
    const isOurs = () => this.#source === source;
    source.on('data', (chunk: Buffer) => {
      if (!isOurs()) return;
      this.#at += chunk.length;
      if (!this.push(chunk)) this.#pause(source);
    });
    source.on('error', (error) => {
      if (isOurs()) this.#fail(error);
    });
    source.once('end', () => {
      if (!isOurs()) return;
      const { end } = this.#parts;
      if (end !== undefined && this.#at !== end + 1) return this.#fail(cut());
      this.#source = undefined;
      this.#reads.leave(this);
      this.push(null);
    });
    source.once('close', () => {
      if (isOurs()) this.#fail(cut());
    });
  }

  #pause(source: Readable): void {
    source.pause();
    this.pausedAt = performance.now();
    this.#timer.refresh();
  }

  #fail(error: unknown): void {
    const { named = (one: unknown) => one } = this.#parts;
    const found = named(error);
    this.destroy(found instanceof Error ? found : new Error(String(found)));
  }
}

const cut = (): CustodyError => new CustodyError('media_cut', 'the audio ended before its end');
